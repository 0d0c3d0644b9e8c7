package dev.fenghuo.testnode;

import static org.elasticsearch.rest.RestRequest.Method.PUT;

import java.util.List;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.metadata.MetadataCreateDataStreamService;
import org.elasticsearch.cluster.metadata.MetadataCreateDataStreamService.CreateDataStreamClusterStateUpdateRequest;
import org.elasticsearch.cluster.metadata.ProjectId;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.action.RestToXContentListener;

/** {@code PUT /_data_stream/NAME}. The work is done by the server's own service; only its REST handler is not published. */
final class CreateDataStream extends BaseRestHandler {

    @Override
    public String getName() {
        return "testnode_create_data_stream";
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(PUT, "/_data_stream/{name}"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
        TimeValue masterTimeout = request.paramAsTime("master_timeout", TestNode.PATIENCE);
        TimeValue ackTimeout = request.paramAsTime("timeout", TestNode.PATIENCE);
        var create = new CreateDataStreamClusterStateUpdateRequest(
            ProjectId.DEFAULT,
            request.param("name"),
            System.currentTimeMillis(),
            null,
            masterTimeout,
            ackTimeout
        );
        return channel -> TestNode.service(MetadataCreateDataStreamService.class)
            .createDataStream(create, new RestToXContentListener<>(channel));
    }
}

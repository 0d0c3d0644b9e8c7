package dev.fenghuo.testnode;

import static org.elasticsearch.rest.RestRequest.Method.DELETE;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.master.AcknowledgedResponse;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.ClusterStateUpdateTask;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.cluster.metadata.MetadataDataStreamsService;
import org.elasticsearch.cluster.metadata.ProjectId;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.action.RestToXContentListener;

/** {@code DELETE /_data_stream/NAMES}: the streams and their backing indices. An unknown name is a 404. */
final class DeleteDataStreams extends BaseRestHandler {

    @Override
    public String getName() {
        return "testnode_delete_data_streams";
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(DELETE, "/_data_stream/{name}"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
        String expression = request.param("name");
        List.of("expand_wildcards", "master_timeout").forEach(request::param); // read, or it is refused
        return channel -> delete(TestNode.dataStreams(expression), new RestToXContentListener<>(channel));
    }

    private static void delete(List<DataStream> streams, ActionListener<AcknowledgedResponse> listener) {
        List<String> names = streams.stream().map(DataStream::getName).toList();
        TestNode.service(ClusterService.class).submitUnbatchedStateUpdateTask("delete " + names, new ClusterStateUpdateTask() {
            @Override
            public ClusterState execute(ClusterState current) {
                // looked up again: the state may have moved on since the request was read
                var present = current.metadata().getProject(ProjectId.DEFAULT).dataStreams();
                Set<DataStream> doomed = names.stream().map(present::get).filter(Objects::nonNull).collect(Collectors.toSet());
                return MetadataDataStreamsService.deleteDataStreams(
                    current.projectState(ProjectId.DEFAULT),
                    doomed,
                    TestNode.settings()
                );
            }

            @Override
            public void clusterStateProcessed(ClusterState before, ClusterState after) {
                listener.onResponse(AcknowledgedResponse.TRUE);
            }

            @Override
            public void onFailure(Exception failure) {
                listener.onFailure(failure);
            }
        });
    }
}

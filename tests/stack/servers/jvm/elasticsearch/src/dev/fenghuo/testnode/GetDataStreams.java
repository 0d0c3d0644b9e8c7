package dev.fenghuo.testnode;

import static org.elasticsearch.rest.RestRequest.Method.GET;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.elasticsearch.action.datastreams.GetDataStreamAction.Response;
import org.elasticsearch.action.datastreams.GetDataStreamAction.Response.DataStreamInfo;
import org.elasticsearch.action.datastreams.GetDataStreamAction.Response.IndexProperties;
import org.elasticsearch.action.datastreams.GetDataStreamAction.Response.ManagedBy;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.health.ClusterStateHealth;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.cluster.metadata.DataStreamFailureStoreSettings;
import org.elasticsearch.cluster.metadata.MetadataIndexTemplateService;
import org.elasticsearch.cluster.metadata.ProjectId;
import org.elasticsearch.index.Index;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.action.RestToXContentListener;

/**
 * {@code GET /_data_stream} and {@code GET /_data_stream/NAMES}: the streams with their backing indices.
 * The fields ilm_policy and maximum_timestamp stay empty, index_mode says standard.
 */
final class GetDataStreams extends BaseRestHandler {

    private static final String INDEX_MODE = "standard";

    @Override
    public String getName() {
        return "testnode_get_data_streams";
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(GET, "/_data_stream"), new Route(GET, "/_data_stream/{name}"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
        String expression = request.param("name", "*");
        List.of("expand_wildcards", "include_defaults", "verbose").forEach(request::param); // read, or it is refused
        return channel -> new RestToXContentListener<Response>(channel).onResponse(
            new Response(TestNode.dataStreams(expression).stream().map(GetDataStreams::describe).toList())
        );
    }

    private static DataStreamInfo describe(DataStream stream) {
        ManagedBy managedBy = isManaged(stream) ? ManagedBy.LIFECYCLE : ManagedBy.UNMANAGED;
        Map<Index, IndexProperties> indices = stream.getIndices()
            .stream()
            .collect(Collectors.toMap(Function.identity(), index -> new IndexProperties(true, null, managedBy, INDEX_MODE)));
        String[] names = indices.keySet().stream().map(Index::getName).toArray(String[]::new);
        return new DataStreamInfo(
            stream,
            stream.isFailureStoreEffectivelyEnabled(TestNode.service(DataStreamFailureStoreSettings.class)),
            new ClusterStateHealth(TestNode.state(), names, ProjectId.DEFAULT).getStatus(),
            MetadataIndexTemplateService.findV2Template(TestNode.project(), stream.getName(), false),
            null,
            null,
            indices,
            true,
            null,
            INDEX_MODE
        );
    }

    private static boolean isManaged(DataStream stream) {
        return stream.getDataLifecycle() != null && stream.getDataLifecycle().enabled();
    }
}

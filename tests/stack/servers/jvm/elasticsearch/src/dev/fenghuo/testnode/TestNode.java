package dev.fenghuo.testnode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.elasticsearch.action.datastreams.DataStreamsActionUtil;
import org.elasticsearch.action.support.IndicesOptions;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.metadata.ProjectId;
import org.elasticsearch.cluster.metadata.ProjectMetadata;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.ClasspathNode;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.transport.netty4.Netty4Plugin;

/**
 * One Elasticsearch node on loopback, made of the published jars: {@code TestNode HOME HTTP_PORT}.
 * The node is a static because Elasticsearch builds its plugins by class and hands them no services of its core.
 */
public final class TestNode {

    static final String NAME = "testnode";
    static final TimeValue PATIENCE = TimeValue.timeValueSeconds(30);

    private static volatile ClasspathNode node;

    private TestNode() {}

    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]).toAbsolutePath();
        LogConfigurator.configureESLogging();
        node = new ClasspathNode(environment(home, arguments[1]), List.of(Netty4Plugin.class, TestNodePlugin.class));
        Runtime.getRuntime().addShutdownHook(new Thread(TestNode::close, "close"));
        node.start();
        new CountDownLatch(1).await(); // the node's threads are daemons: without this the process would end here
    }

    static <T> T service(Class<T> type) {
        return node.service(type);
    }

    static Settings settings() {
        return node.settings();
    }

    static ClusterState state() {
        return service(ClusterService.class).state();
    }

    static ProjectMetadata project() {
        return state().metadata().getProject(ProjectId.DEFAULT);
    }

    /** The streams that a comma-separated list with wildcards means; an unknown plain name is an error (404). */
    static List<DataStream> dataStreams(String expression) {
        ProjectMetadata project = project();
        IndicesOptions options = IndicesOptions.fromOptions(false, true, true, true, false, false, true, false);
        String[] patterns = Strings.splitStringByCommaToArray(expression);
        return DataStreamsActionUtil.getDataStreamNames(service(IndexNameExpressionResolver.class), project, patterns, options)
            .stream()
            .map(project.dataStreams()::get)
            .toList();
    }

    private static Environment environment(Path home, String httpPort) throws IOException {
        Path config = Files.createDirectories(home.resolve("config"));
        Settings settings = Settings.builder()
            .put("path.home", home)
            .put("path.data", home.resolve("data"))
            .put("path.logs", home.resolve("logs"))
            .put("cluster.name", "fenghuo-tests")
            .put("node.name", NAME)
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", httpPort)
            .put("transport.port", "0")
            .put("transport.type", "netty4")
            .put("http.type", "netty4")
            .put("action.destructive_requires_name", false) // a test may clean up with DELETE /*
            .put("cluster.routing.allocation.disk.threshold_enabled", false) // a full disk is not what we test
            .build();
        return InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), config, () -> NAME);
    }

    private static void close() {
        try {
            node.prepareForClose();
            node.close();
            node.awaitClose(10, TimeUnit.SECONDS);
        } catch (Exception failure) {
            failure.printStackTrace();
        }
    }
}

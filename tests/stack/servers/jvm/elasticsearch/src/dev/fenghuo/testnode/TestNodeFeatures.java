package dev.fenghuo.testnode;

import java.util.Set;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.features.FeatureSpecification;
import org.elasticsearch.features.NodeFeature;

/**
 * Features that the data-streams module would declare. Without this one the server refuses a template that
 * asks for a failure store, and never redirects a document to one as a real cluster does.
 */
public final class TestNodeFeatures implements FeatureSpecification {

    @Override
    public Set<NodeFeature> getFeatures() {
        return Set.of(DataStream.DATA_STREAM_FAILURE_STORE_FEATURE);
    }
}

package org.elasticsearch.node;

import java.util.List;
import org.elasticsearch.env.Environment;
import org.elasticsearch.plugins.ClasspathPluginsService;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.plugins.PluginsLoader;
import org.elasticsearch.plugins.PluginsService;

/**
 * A node whose plugins are classes of the class path instead of folders on disk.
 * It lives in this package because {@code NodeServiceProvider} is package-private.
 */
public final class ClasspathNode extends Node {

    public ClasspathNode(Environment environment, List<Class<? extends Plugin>> plugins) {
        super(NodeConstruction.prepareConstruction(environment, null, servicesWith(plugins), true));
    }

    /** A service of this node by its class: what the missing modules would have had injected. */
    public <T> T service(Class<T> type) {
        return injector().getInstance(type);
    }

    private static NodeServiceProvider servicesWith(List<Class<? extends Plugin>> plugins) {
        return new NodeServiceProvider() {
            @Override
            PluginsService newPluginService(Environment environment, PluginsLoader foldersNotUsed) {
                return new ClasspathPluginsService(environment, plugins);
            }
        };
    }
}

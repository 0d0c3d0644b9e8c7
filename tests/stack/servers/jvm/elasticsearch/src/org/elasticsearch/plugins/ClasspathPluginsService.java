package org.elasticsearch.plugins;

import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import org.elasticsearch.Build;
import org.elasticsearch.env.Environment;

/**
 * Plugins straight from the class path: there is no modules/ and no plugins/ folder to look into.
 * It lives in this package because {@code LoadedPlugin} and {@code loadPlugin} are package-private.
 */
public final class ClasspathPluginsService extends PluginsService {

    private final List<LoadedPlugin> loaded;

    public ClasspathPluginsService(Environment environment, List<Class<? extends Plugin>> plugins) {
        super(environment.settings(), environment.configDir(), new PluginsLoader(Set.of(), Set.of(), Map.of()));
        loaded = plugins.stream().map(plugin -> load(plugin, environment)).toList();
        loadExtensions(loaded);
    }

    @Override
    protected List<LoadedPlugin> plugins() {
        return loaded == null ? List.of() : loaded; // the super constructor asks before the field is set
    }

    /** All plugins share one class loader, so a look-up per plugin would find every service several times. */
    @Override
    public <T> List<? extends T> loadServiceProviders(Class<T> service) {
        return ServiceLoader.load(service, getClass().getClassLoader())
            .stream()
            .map(ServiceLoader.Provider::get)
            .toList();
    }

    private LoadedPlugin load(Class<? extends Plugin> plugin, Environment environment) {
        Plugin instance = loadPlugin(plugin, environment.settings(), environment.configDir());
        return new LoadedPlugin(describe(plugin.getName()), instance, plugin.getClassLoader());
    }

    private static PluginDescriptor describe(String className) {
        return new PluginDescriptor(
            className,
            "from the class path",
            "1",
            Build.current().version(),
            Integer.toString(Runtime.version().feature()),
            className,
            null,
            List.of(),
            false,
            false,
            true,
            false,
            PluginDescriptor.DeploymentTarget.ALL
        );
    }
}

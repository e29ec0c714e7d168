import java.nio.file.Path;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;

/**
 * Runs one real Elasticsearch node from its Maven artifacts until the process is told to end.
 *
 * <p>Usage: EsNode HOME [setting=value ...]. A value with commas is a list.
 */
public class EsNode {
    public static void main(String[] args) throws Exception {
        LogConfigurator.loadLog4jPlugins();
        Environment environment = environment(Path.of(args[0]).toAbsolutePath(), args);
        LogConfigurator.configure(environment, true);
        Node node = new Node(environment).start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        Thread.currentThread().join();
    }

    private static Environment environment(Path home, String[] args) {
        Settings.Builder settings = Settings.builder()
            .put("path.home", home)
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            .put("network.host", "127.0.0.1")
            // Developers' disks are often nearly full; a test of a flood stage switches it on again.
            .put("cluster.routing.allocation.disk.threshold_enabled", false);
        for (int i = 1; i < args.length; i++) {
            String[] pair = args[i].split("=", 2);
            if (pair[1].contains(",")) {
                settings.putList(pair[0], pair[1].split(","));
            } else {
                settings.put(pair[0], pair[1]);
            }
        }
        return new Environment(settings.build(), home.resolve("config"));
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (Exception error) {
            error.printStackTrace();
        }
    }
}

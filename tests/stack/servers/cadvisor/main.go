// cAdvisor's library as a program, with what cAdvisor's own program gives it: kinds of cgroups and of file systems, the
// flags of its packages, its default set of metrics, and one registry a scrape. The engines (Docker, containerd, CRI-O,
// Podman) are left out: the cgroups that it is compared on have none.
package main

import (
	"flag"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/cadvisor/cache/memory"
	"github.com/google/cadvisor/container"
	_ "github.com/google/cadvisor/container/raw"
	_ "github.com/google/cadvisor/container/systemd/install"
	_ "github.com/google/cadvisor/fs/btrfs/install"
	_ "github.com/google/cadvisor/fs/devicemapper/install"
	_ "github.com/google/cadvisor/fs/nfs/install"
	_ "github.com/google/cadvisor/fs/overlay/install"
	_ "github.com/google/cadvisor/fs/tmpfs/install"
	_ "github.com/google/cadvisor/fs/vfs/install"
	_ "github.com/google/cadvisor/fs/zfs/install"
	v2 "github.com/google/cadvisor/info/v2"
	"github.com/google/cadvisor/manager"
	"github.com/google/cadvisor/metrics"
	"github.com/google/cadvisor/utils/sysfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// What cAdvisor's program leaves out unless it is told otherwise.
const disabledByDefault = "advtcp,cpu_topology,cpuset,hugetlb,memory_numa,process,referenced_memory,resctrl,sched,tcp,udp"

const kept = 2 * time.Minute

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "HOST:PORT")
	disabled := flag.String("disable_metrics", disabledByDefault, "kinds of metrics, comma-separated")
	prefixes := flag.String("raw_cgroup_prefix_whitelist", "", "publish only cgroups that begin so, comma-separated")
	klog.InitFlags(nil)
	flag.Parse() // -housekeeping_interval and the like are the manager package's

	included := enabled(*disabled)
	watched, err := manager.New(memory.New(kept, nil), sysfs.NewRealSysFs(), manager.HousekeepingConfigFlags,
		included, http.DefaultClient, strings.Split(*prefixes, ","), nil, "", 0)
	if err == nil {
		err = watched.Start()
	}
	if err != nil {
		klog.Fatal(err)
	}
	http.Handle("/metrics", exposition(watched, included))
	http.HandleFunc("/{$}", func(answer http.ResponseWriter, _ *http.Request) { io.WriteString(answer, "cAdvisor\n") })
	klog.Fatal(http.ListenAndServe(*listen, nil))
}

func enabled(disabled string) container.MetricSet {
	included := container.MetricSet{}
	for kind := range container.AllMetrics {
		included[kind] = struct{}{}
	}
	for _, kind := range strings.Split(disabled, ",") {
		delete(included, container.MetricKind(kind))
	}
	return included
}

func exposition(watched manager.Manager, included container.MetricSet) http.Handler {
	newest := v2.RequestOptions{IdType: v2.TypeName, Count: 1, Recursive: true}
	machine := metrics.NewPrometheusMachineCollector(watched, included)
	own, process := collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		registry := prometheus.NewRegistry()
		registry.MustRegister(
			metrics.NewPrometheusCollector(watched, metrics.DefaultContainerLabels, included, clock.RealClock{}, newest),
			machine, own, process)
		options := promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}
		promhttp.HandlerFor(registry, options).ServeHTTP(answer, request)
	})
}

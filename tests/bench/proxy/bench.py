#!/usr/bin/env python3
"""Compares `coreio proxy` with HAProxy, side by side in one run. `coreio bench proxy` asks the same with a load of its own; this
is the cross-check with the field's tools.

    tests/bench/proxy/bench.py [--rounds 3] [--seconds 4] [--work bulk1,bulk4,http,close,redis,idle]
                               [--proxies haproxy,haproxy-splice,native] [--congestion reno] [--markdown]

Load, proxy and upstream share the machine, so the CPU time of the proxy for one unit of work is what compares; rates and
latencies stand beside it. Rounds alternate the order of the proxies; figures are medians, with the smallest and the largest.
The last column is the ratio of the medians to the best HAProxy of the same row.

Each piece of work is one command of a well-known tool: iperf3 (bulk), wrk against nginx that answers with one byte (http,
close), redis-benchmark (redis). `idle` holds connections open and looks at the memory. Needed from Debian: haproxy nginx iperf3 wrk redis-server redis-tools. Everything listens on the loopback.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
# One worker a CPU, pinned, for each proxy: what both are best with.
CPUS = sorted(os.sched_getaffinity(0))[:2]
WORKERS = len(CPUS)
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    """Whether the kernel shows a listening socket (0A), asked without connecting: an upstream would see the connection."""
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(fields[1].endswith(f":{port:04X}") and fields[3] == "0A" for fields in map(str.split, lines))


def wait_for(port, process):
    """Waits until somebody listens on the port."""
    for _ in range(400):
        if process.poll() is not None:
            sys.exit(f"bench: {process.args[0]} ended with {process.returncode} before it listened")
        if listens(port):
            return
        time.sleep(0.025)
    sys.exit(f"bench: {process.args[0]} does not listen on port {port}")


def start(command, port, **keywords):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **keywords)
    wait_for(port, process)
    return process


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_seconds(process):
    """CPU time of a process, user and system, with what softirqs did in its name."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_bytes(process):
    text = pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    return int(re.search(r"^Rss:\s+(\d+)", text, re.M).group(1)) * 1024


class Upstreams:
    """What the proxies lead to."""

    def __init__(self, folder):
        self.ports = {name: free_port() for name in ("http", "bulk", "redis")}
        config = folder / "nginx.conf"
        config.write_text(f"""worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 20000; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 600;
  server {{ listen 127.0.0.1:{self.ports['http']} backlog=4096; location / {{ return 200 "x"; }} }} }}
""")
        self.processes = [
            start(["nginx", "-c", str(config)], self.ports["http"]),
            start(["iperf3", "-s", "-B", "127.0.0.1", "-p", str(self.ports["bulk"])], self.ports["bulk"]),
            start(["redis-server", "--port", str(self.ports["redis"]), "--save", "", "--bind", "127.0.0.1",
                   "--dir", str(folder)], self.ports["redis"]),
        ]

    def stop(self):
        for process in self.processes:
            stop(process)


def haproxy(folder, port, upstream, splice):
    """HAProxy at its best for bulk (forced splice, pipes of 1 MiB) or for small messages (no splice)."""
    config = folder / f"haproxy-{port}.cfg"
    tune = "tune.pipesize 1048576" if splice else ""
    pin = "\n".join(f"  cpu-map 1/{i + 1} {cpu}" for i, cpu in enumerate(CPUS))
    options = "option splice-request\n  option splice-response" if splice else ""
    config.write_text(f"""global
  nbthread {WORKERS}
  maxconn 4500
{pin}
  {tune}
defaults
  mode tcp
  {options}
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen all
  bind 127.0.0.1:{port}
  server one 127.0.0.1:{upstream}
""")
    return start(["haproxy", "-f", str(config)], port)


def coreio(port, upstream, backend):
    command = [str(ROOT / "managed/CoreIO.Cli/bin/Release/net10.0/coreio"), "proxy", "--listen", f"127.0.0.1:{port}",
               "--to", f"127.0.0.1:{upstream}", "--workers", str(WORKERS), "--cpus", ",".join(map(str, CPUS)), "--backend", backend]
    return start(command, port)


def launch(kind, folder, upstream):
    port = free_port()
    if kind == "haproxy":
        return haproxy(folder, port, upstream, False), port
    if kind == "haproxy-splice":
        return haproxy(folder, port, upstream, True), port
    return coreio(port, upstream, kind), port


def run(command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"bench: {' '.join(command)}: {result.stderr or result.stdout}")
    return result.stdout


def microseconds(text):
    value = float(re.match(r"[\d.]+", text).group())
    return value * {"us": 1, "ms": 1e3, "s": 1e6}[text.lstrip("0123456789.")]


def work_http(process, port, options, close):
    command = ["wrk", "-t1", "-c64", f"-d{options.seconds}s", "--latency"]
    command += ["-H", "Connection: close"] if close else []
    before = cpu_seconds(process)
    text = run(command + [f"http://127.0.0.1:{port}/"])
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    if re.search(r"Socket errors|Non-2xx", text):
        print(f"bench: wrk saw errors: {text}", file=sys.stderr)
    return {
        "per second": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
        "p99 us": microseconds(re.search(r"99%\s+(\S+)", text).group(1)),
        "CPU us each": (cpu_seconds(process) - before) / requests * 1e6,
    }


def work_redis(process, port, options):
    count = 15000 * options.seconds
    before = cpu_seconds(process)
    text = run(["redis-benchmark", "-p", str(port), "-P", "1", "-c", "50", "-n", str(count), "-t", "get", "--csv"])
    fields = text.strip().splitlines()[-1].replace('"', "").split(",")
    return {
        "per second": float(fields[1]),
        "p99 us": float(fields[6]) * 1000,
        "CPU us each": (cpu_seconds(process) - before) / count * 1e6,
    }


def work_bulk(process, port, options, streams):
    command = ["iperf3", "-c", "127.0.0.1", "-p", str(port), "-t", str(options.seconds), "-P", str(streams), "-J"]
    command += ["-C", options.congestion] if options.congestion else []
    before = cpu_seconds(process)
    result = json.loads(run(command))
    if "error" in result:
        sys.exit(f"bench: {' '.join(command)}: {result['error']}")
    received = result["end"]["sum_received"]
    return {
        "Gbit/s": received["bits_per_second"] / 1e9,
        "CPU s a GB": (cpu_seconds(process) - before) / (received["bytes"] / 1e9),
    }


def hold(port, listener, count):
    """Connections through the proxy with one byte echoed on each: both ends of all."""
    clients, servers = [], []
    for _ in range(count):
        clients.append(socket.create_connection(("127.0.0.1", port)))
        clients[-1].send(b"x")
        servers.append(listener.accept()[0])
        servers[-1].recv(1)
        servers[-1].send(b"y")
        clients[-1].recv(1)
    return clients, servers


def work_idle(process, port, listener):
    base = memory_bytes(process)
    count = 4000
    ends = hold(port, listener, count)
    time.sleep(0.5)
    memory = (memory_bytes(process) - base) / count
    before = cpu_seconds(process)
    time.sleep(3)
    result = {"bytes a connection": memory, "CPU ms a second": (cpu_seconds(process) - before) / 3 * 1000}
    for end in ends[0] + ends[1]:
        end.close()
    return result


def measure(work, kind, folder, upstreams, listener, options):
    ports = {"http": "http", "close": "http", "redis": "redis", "bulk1": "bulk", "bulk4": "bulk"}
    upstream = upstreams.ports[ports[work]] if work in ports else listener.getsockname()[1]
    process, port = launch(kind, folder, upstream)
    try:
        if work in ("http", "close"):
            return work_http(process, port, options, work == "close")
        if work == "redis":
            return work_redis(process, port, options)
        if work == "idle":
            return work_idle(process, port, listener)
        return work_bulk(process, port, options, int(work[-1]))
    finally:
        stop(process)


def report(results, works, kinds, options):
    lower = {"p99 us", "CPU us each", "CPU s a GB", "bytes a connection", "CPU ms a second"}
    rows = []
    for work in works:
        for measure_name in results[work]:
            per_kind = results[work][measure_name]
            peers = [statistics.median(v) for k, v in per_kind.items() if k.startswith("haproxy")]
            best = (min if measure_name in lower else max)(peers) if peers else None
            for kind in kinds:
                values = per_kind[kind]
                median = statistics.median(values)
                ratio = f"{median / best:.2f}" if best and not kind.startswith("haproxy") else ""
                rows.append((work, measure_name, kind, f"{median:.4g}", f"{min(values):.4g} to {max(values):.4g}", ratio))
    head = ("work", "figure", "proxy", "median", "spread", "of the best HAProxy")
    if options.markdown:
        print("| " + " | ".join(head) + " |")
        print("|---|---|---|--:|---|--:|")
        for row in rows:
            print("| " + " | ".join(row) + " |")
        return
    widths = [max(len(row[i]) for row in rows + [head]) for i in range(len(head))]
    for row in [head] + rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--work", default="bulk1,bulk4,http,close,redis,idle")
    parser.add_argument("--proxies", default="haproxy,haproxy-splice,native")
    parser.add_argument("--congestion", default="", help="of iperf3's sockets; the system's without it")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    for tool in ("haproxy", "nginx", "iperf3", "wrk", "redis-server", "redis-benchmark"):
        if shutil.which(tool) is None:
            sys.exit(f"bench: {tool} is missing; see the top of {__file__}")
    works, kinds = options.work.split(","), options.proxies.split(",")
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory() as name:
        # Programs that give up their rights read it, too.
        os.chmod(name, 0o755)
        folder = pathlib.Path(name)
        upstreams = Upstreams(folder)
        listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        results = {work: {} for work in works}
        try:
            for number in range(options.rounds):
                for work in works:
                    for kind in kinds if number % 2 == 0 else kinds[::-1]:
                        figures = measure(work, kind, folder, upstreams, listener, options)
                        for figure, value in figures.items():
                            results[work].setdefault(figure, {}).setdefault(kind, []).append(value)
        finally:
            upstreams.stop()
    report(results, works, kinds, options)


main()

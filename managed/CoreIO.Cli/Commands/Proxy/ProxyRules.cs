// `coreio proxy rules`: what netfilter and the routes need so that connections come to a transparent or redirected proxy.
using System.Net;
using CoreIO.Cli.Shell;
using CoreIO.Proxy;

namespace CoreIO.Cli.Commands;

internal static class ProxyRules
{
    public static CliVerb Verb { get; } = new("rules", "the nft and ip commands for --transparent and --redirect")
    {
        Run = Run,
        Options =
        [
            new("transparent", null, "for TPROXY (default)"),
            new("redirect", null, "for REDIRECT"),
            new("listen", "ADDR", "where the proxy listens: :15001 (default)") { Letter = 'l' },
            new("interface", "IF", "where connections come in; every one without it") { Letter = 'i' },
            new("ports", "LIST", "destination ports: 80,443; all without it") { Letter = 'p' },
            new("undo", null, "the commands that take them back"),
        ],
        Notes =
        [
            """
            Run what it prints as root: coreio proxy rules --interface eth0 | sh -e. Nothing
            is changed by the proxy itself. With --spoof replies of upstreams have to come
            through this machine; the rule for sockets that are there then finds them.
            """,
        ],
    };

    private static int Run(CliArguments arguments)
    {
        string text = arguments.Get("listen") ?? ":15001";
        EndPoint address;
        try
        {
            address = ProxyAddress.Parse(text);
        }
        catch (FormatException e)
        {
            throw new UsageException($"--listen: {e.Message}");
        }

        if (address is not IPEndPoint { Port: > 0 } listen)
        {
            throw new UsageException($"--listen: '{text}' is no address of the internet with a port");
        }

        bool any = listen.Address.Equals(IPAddress.Any) || listen.Address.Equals(IPAddress.IPv6Any);
        if (!any)
        {
            throw new UsageException($"--listen: '{text}' is one address, and connections are led to that of the interface they come in by; "
                + "listen on 0.0.0.0 or [::]");
        }

        string ports = arguments.Get("ports") is string list ? Ports(list) : "";
        string from = arguments.Get("interface") is string name ? $"iifname \"{Interface(name)}\" " : "";
        bool both = listen.Address.Equals(IPAddress.IPv6Any);
        if (arguments.Has("redirect") && arguments.Has("transparent"))
        {
            throw new UsageException("--redirect: connections come by TPROXY with --transparent and by REDIRECT without; choose one");
        }

        return Cli.Print(arguments.Has("redirect") ? Redirect(arguments.Has("undo"), both, from, ports, listen.Port)
            : Transparent(arguments.Has("undo"), both, from, ports, listen.Port));
    }

    private static string Ports(string list)
    {
        foreach (string port in list.Split(','))
        {
            if (!ushort.TryParse(port, out ushort number) || number == 0)
            {
                throw new UsageException($"--ports: '{list}' is no list of ports; write 80,443");
            }
        }

        return $"tcp dport {{ {list.Replace(",", ", ", StringComparison.Ordinal)} }} ";
    }

    // Goes to a shell as it is.
    private static string Interface(string name) => name.Length is > 0 and < 16 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '@')
        ? name
        : throw new UsageException($"--interface: '{name}' is no name of an interface");

    // A listener of IPv4 alone would refuse what is led to it by IPv6.
    private static string Transparent(bool undo, bool both, string from, string ports, int port) => undo
        ? "nft delete table inet coreio\n" + Routes("del", both)
        : Routes("add", both) + $$"""
          nft -f - <<'END'
          table inet coreio {
            chain prerouting {
              type filter hook prerouting priority mangle;
              meta l4proto tcp socket transparent 1 meta mark set 1 accept
              {{from}}fib daddr type local accept
              {{from}}meta nfproto ipv4 meta l4proto tcp {{ports}}tproxy ip to :{{port}} meta mark set 1 accept
          {{(both ? $"    {from}meta nfproto ipv6 meta l4proto tcp {ports}tproxy ip6 to :{port} meta mark set 1 accept\n" : "")}}  }
          }
          END

          """;

    private static string Routes(string change, bool both)
    {
        string[] families = both ? ["ip", "ip -6"] : ["ip"];
        return string.Concat(families.Select(ip => $"{ip} rule {change} fwmark 1 lookup 100\n{ip} route {change} local default dev lo table 100\n"));
    }

    private static string Redirect(bool undo, bool both, string from, string ports, int port)
    {
        string[] families = both ? ["ip", "ip6"] : ["ip"];
        return undo
            ? string.Concat(families.Select(family => $"nft delete table {family} coreio\n"))
            : "nft -f - <<'END'\n" + string.Concat(families.Select(family => $$"""
              table {{family}} coreio {
                chain prerouting {
                  type nat hook prerouting priority dstnat;
                  {{from}}meta l4proto tcp {{ports}}fib daddr type != local redirect to :{{port}}
                }
              }

              """)) + "END\n";
    }
}

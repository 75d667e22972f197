using System.Text;

namespace CoreIO.Proxy.Bench;

/// <summary>A request and its reply. One byte of the request, the token, comes back in the reply, so that one for somebody else is seen.</summary>
/// <param name="Request">The bytes of a request.</param>
/// <param name="RequestToken">Where the token is.</param>
/// <param name="Reply">The bytes of a reply.</param>
/// <param name="ReplyToken">Where the token is.</param>
internal sealed record LoadExchange(byte[] Request, int RequestToken, byte[] Reply, int ReplyToken)
{
    /// <summary>One byte there and the same one back.</summary>
    public static LoadExchange Echo { get; } = Of("?", "?");

    /// <summary>What wrk asks, and nginx's answer of one byte.</summary>
    public static LoadExchange Http { get; } = Of(
        "GET /? HTTP/1.1\r\nHost: 127.0.0.1:18080\r\n\r\n",
        "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Thu, 26 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\n"
        + "Content-Length: 1\r\nConnection: keep-alive\r\n\r\n?");

    /// <summary>What redis-benchmark asks with GET, and its answer.</summary>
    public static LoadExchange Redis { get; } = Of("*2\r\n$3\r\nGET\r\n$16\r\nkey:00000000000?\r\n", "$3\r\nxx?\r\n");

    private static LoadExchange Of(string request, string reply) =>
        new(Encoding.ASCII.GetBytes(request), request.IndexOf('?', StringComparison.Ordinal), Encoding.ASCII.GetBytes(reply), reply.LastIndexOf('?'));
}

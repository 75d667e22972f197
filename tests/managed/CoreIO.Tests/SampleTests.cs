// The samples are what their README says: the made one is made again, byte for byte, and the formats of nginx.conf are those it holds.
using CoreIO.Log;
using CoreIO.Testing;

namespace CoreIO.Tests;

internal sealed class SampleTests
{
    [Test]
    public void The_edge_log_is_what_its_script_writes()
    {
        (int exit, string output) = Repository.Run("awk", "-f", "samples/edge-access.awk");
        Assert.That(exit, Is.Zero, output);
        Assert.That(output, Is.EqualTo(File.ReadAllText(Repository.PathOf("samples/edge-access.log"))));
    }

    [TestCase("main", "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" \"$http_x_forwarded_for\"")]
    [TestCase("timed", "$remote_addr [$time_iso8601] \"$request\" $status $bytes_sent ${request_time} \"$upstream_addr\" \"$upstream_status\" \"$upstream_response_time\"")]
    [TestCase("tabs", "$msec\t$host\t$status\t$request_length\t$request_time\t$request_uri")]
    [TestCase("one", "$remote_addr:$status")]
    [TestCase("two", "$host \"$request\" $status")]
    [TestCase("odd", "$remote_addr#${remote_port}; \"$request\" {$status} it's")]
    public void The_configuration_holds_this_format(string name, string template)
    {
        Assert.That(LogFormatSource.FromFile($"@{Repository.PathOf("samples/nginx.conf")}:{name}"), Is.EqualTo(template));
        foreach (ICoreBackend backend in Backends.All)
        {
            Assert.That(() => backend.Log.CompileFormat(template).Dispose(), Throws.Nothing, backend.Name);
        }
    }

    [Test]
    public void The_configuration_holds_no_other_format() =>
        Assert.That(
            string.Join(' ', NginxConfig.LogFormats(File.ReadAllText(Repository.PathOf("samples/nginx.conf"))).Select(f => f.Key)),
            Is.EqualTo("main timed tabs one two odd"));
}

// Who may use whom: project references in C#, includes in C.
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace CoreIO.Repository.Tests;

public sealed partial class ArrowTests
{
    // A project, and all it may reference.
    private static readonly Dictionary<string, string[]> Projects = new()
    {
        ["CoreIO.Abstractions"] = [],
        ["CoreIO.Interop"] = ["CoreIO.Abstractions"],
        ["CoreIO.Native"] = ["CoreIO.Abstractions", "CoreIO.Interop"],
        ["CoreIO.Managed"] = ["CoreIO.Abstractions"],
        ["CoreIO"] = ["CoreIO.Abstractions", "CoreIO.Native", "CoreIO.Managed"],
        ["CoreIO.Cli"] = ["CoreIO"],
    };

    // A folder of native/src, and the folders it may include besides itself.
    private static readonly Dictionary<string, string[]> Rooms = new()
    {
        ["base"] = [],
        ["cpu"] = ["base"],
        ["log"] = ["base", "cpu"],
        ["loop"] = ["base"],
        ["proxy"] = ["base", "cpu", "loop"],
        ["mq"] = ["base"],
        ["pty"] = ["base"],
        ["sock"] = ["base"],
    };

    // The one file that looks at every public header, to assert layouts; it calls nothing.
    private const string LayoutFile = "native/src/base/layout.c";

    [Test]
    public void ProjectsReferenceOnlyWhatTheyMay()
    {
        string[] projects = [.. RepositoryFiles.EndingWith(".csproj").Where(file => !file.StartsWith("tests/", StringComparison.Ordinal))];
        Assert.That(projects, Is.Not.Empty);
        List<string> faults = [];
        foreach (string project in projects)
        {
            string name = Path.GetFileNameWithoutExtension(project);
            if (!Projects.TryGetValue(name, out string[]? allowed))
            {
                // Samples are users: they see the package alone.
                allowed = project.StartsWith("samples/", StringComparison.Ordinal) ? ["CoreIO"] : [];
                if (allowed.Length == 0)
                {
                    faults.Add($"{project}: no room of its own in the list of this test");
                }
            }

            faults.AddRange(References(project).Except(allowed).Select(reference => $"{project}: may not reference {reference}"));
        }

        Assert.That(faults, Is.Empty);
    }

    [Test]
    public void TestsOfTheManagedBackendNeverSeeTheNativeOne()
    {
        string[] faults =
        [
            .. RepositoryFiles.EndingWith("CoreIO.Managed.Tests.csproj")
                .SelectMany(References)
                .Where(reference => reference is not ("CoreIO.Managed" or "CoreIO.Abstractions")),
        ];
        Assert.That(faults, Is.Empty);
    }

    [Test]
    public void EveryProjectIsInTheSolution()
    {
        string solution = RepositoryFiles.Read("CoreIO.sln").Replace('\\', '/');
        IEnumerable<string> missing = RepositoryFiles.EndingWith(".csproj")
            .Where(project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal));
        Assert.That(missing, Is.Empty, "dotnet sln CoreIO.sln add <project>");
    }

    [Test]
    public void CFilesIncludeOnlyRoomsBelowThem()
    {
        string[] sources = [.. RepositoryFiles.EndingWith(".c", ".h").Where(file => file.StartsWith("native/", StringComparison.Ordinal))];
        Assert.That(sources, Is.Not.Empty);
        List<string> faults = [];
        foreach (string source in sources.Where(source => source != LayoutFile))
        {
            string room = source.StartsWith("native/include/", StringComparison.Ordinal)
                ? Path.GetFileNameWithoutExtension(source)
                : source.Split('/')[2];
            if (!Rooms.TryGetValue(room, out string[]? allowed))
            {
                faults.Add($"{source}: {room} is none of the eight rooms");
                continue;
            }

            faults.AddRange(
                from Match include in Includes().Matches(RepositoryFiles.Read(source))
                let used = include.Groups["room"].Value
                where used != room && !allowed.Contains(used)
                select $"{source}: {room} may not include {include.Groups["path"].Value}");
        }

        Assert.That(faults, Is.Empty);
    }

    private static IEnumerable<string> References(string project) =>
        XDocument.Parse(RepositoryFiles.Read(project)).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(((string)reference.Attribute("Include")!).Replace('\\', '/')));

    // "room/file.h" or "../room/file.h" of native/src, and <coreio/room.h> of native/include.
    [GeneratedRegex("""^\s*#\s*include\s+(?:"(?<path>(?:\.\./)?(?<room>\w+)/[^"]+)"|<(?<path>coreio/(?<room>\w+)\.h)>)""",
        RegexOptions.Multiline)]
    private static partial Regex Includes();
}

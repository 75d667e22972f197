// Names for numbers: of users, from /etc/passwd alone, for a directory service may take seconds to answer; of processes, from /proc.
using System.Globalization;

namespace CoreIO.Mq;

/// <summary>Names of users and processes, where they are cheap to have.</summary>
public static class MqNames
{
    private static readonly Lazy<Dictionary<uint, string>> Users = new(ReadUsers);

    /// <summary>What stands for the name of a process that has ended.</summary>
    public const string Gone = "gone";

    /// <summary>The user's name in <c>/etc/passwd</c>, else the number.</summary>
    public static string User(uint uid) =>
        Users.Value.TryGetValue(uid, out string? name) ? name : uid.ToString(CultureInfo.InvariantCulture);

    /// <summary>The command's name of a process; <see cref="Gone"/> when it has ended; null for process 0, which is nobody.</summary>
    public static string? Process(int processId) => processId == 0 ? null : ProcText.FirstLine($"/proc/{processId}/comm") ?? Gone;

    private static Dictionary<uint, string> ReadUsers()
    {
        Dictionary<uint, string> users = [];
        foreach (string line in ProcText.Lines("/etc/passwd"))
        {
            string[] parts = line.Split(':', 4);
            if (parts.Length == 4 && uint.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint uid))
            {
                // The first of several names counts, as for getpwuid(3).
                _ = users.TryAdd(uid, parts[0]);
            }
        }

        return users;
    }
}

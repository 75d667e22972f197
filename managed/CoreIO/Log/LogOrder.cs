// The order of rows: by a key or a statistic, ties by key, so that equal answers are shown equally however they were computed. Chooses the
// first N with a bounded heap, since a report of ten rows out of a million groups should not sort a million.
using System.Buffers.Text;

namespace CoreIO.Log;

/// <summary>Sorts the rows of one table.</summary>
internal sealed class LogOrder : IComparer<int>
{
    // From here on rows are sorted by words; below, the code for that would take longer to compile than it saves.
    private const int Many = 4096;

    private readonly LogTableAnswer _table;
    private readonly int _stat = -1;
    private readonly int _key = -1;
    private readonly bool _descending;
    private readonly bool _timeFirst;

    /// <summary>The order of a table, by a key or statistic or as suits it.</summary>
    internal LogOrder(LogTableAnswer table, string? sort)
    {
        _table = table;
        bool hasTime = table.Keys.Count > 0 && IsTime(table.Keys[0]);
        if (sort is null)
        {
            // Count, largest first, whether or not it is one of the statistics: every row has it.
            _descending = true;
            _timeFirst = hasTime;
            return;
        }

        (_key, _stat, _descending) = Find(table, sort);
        // A series with more keys stays a series, ordered inside each interval; a bare series may be sorted by what happened.
        _timeFirst = hasTime && table.Keys.Count > 1 && _key != 0;
    }

    /// <summary>Whether a key is the start of an interval, not text as written.</summary>
    public static bool IsTime(LogKeyColumn key) => key.Kind == LogKind.Time && key.Name is "time" or "minute";

    /// <summary>The rows to show in their order, the (other) row last, and how many groups are left out.</summary>
    public static (int[] Rows, long Hidden) Rows(LogTableAnswer table, string? sort, int top)
    {
        LogOrder order = new(table, sort);
        int count = table.Groups.Length;
        bool hasOther = count > 0 && table.Groups[^1].IsOther;
        int groups = hasOther ? count - 1 : count;
        int[] rows = order._timeFirst || top <= 0 || top >= groups / 2
            ? order.Sorted(groups, top)
            : order.First(groups, top);
        return (hasOther ? [.. rows, count - 1] : rows, groups - rows.Length);
    }

    /// <summary>Whether a sort names a key or statistic of these, before any work is done.</summary>
    /// <exception cref="LogSortException">It does not.</exception>
    public static void Check(LogTable table, string? sort)
    {
        if (sort is not null)
        {
            CheckNamed(table, sort);
        }
    }

    /// <summary>Whether a part of a key is a whole number from end to end.</summary>
    internal static bool TryInteger(ReadOnlySpan<byte> text, out long value) =>
        Utf8Parser.TryParse(text, out value, out int used) && used == text.Length;

    public int Compare(int x, int y)
    {
        ref readonly LogGroup a = ref _table.Groups[x];
        ref readonly LogGroup b = ref _table.Groups[y];
        if (_timeFirst)
        {
            int time = CompareKey(a, b, 0);
            if (time != 0)
            {
                return time;
            }
        }

        int result = _key >= 0 ? Directed(CompareKey(a, b, _key))
            : _stat >= 0 ? CompareStat(a, b)
            : Directed(a.Count.CompareTo(b.Count));
        for (int part = 0; result == 0 && part < _table.Keys.Count; part++)
        {
            result = CompareKey(a, b, part);
        }

        return result;
    }

    private static void CheckNamed(LogTable table, string sort)
    {
        (string name, _) = Split(sort);
        if (name != "count" && !table.By.Contains(name) && !table.Stats.Contains(name.Replace(" ", "", StringComparison.Ordinal)))
        {
            throw new LogSortException(name, [.. table.By, .. table.Stats]);
        }
    }

    private static (string Name, bool? Descending) Split(string sort) =>
        sort.EndsWith(":asc", StringComparison.Ordinal) ? (sort[..^4], false)
        : sort.EndsWith(":desc", StringComparison.Ordinal) ? (sort[..^5], true)
        : (sort, null);

    private static (int Key, int Stat, bool Descending) Find(LogTableAnswer table, string sort)
    {
        (string name, bool? descending) = Split(sort);
        int key = IndexOf(table.Keys.Select(k => k.Name), name);
        int stat = key >= 0 ? -1 : IndexOf(table.Stats.Select(s => s.Name), name.Replace(" ", "", StringComparison.Ordinal));
        if (key < 0 && stat < 0 && name != "count")
        {
            throw new LogSortException(name, [.. table.Keys.Select(k => k.Name), .. table.Stats.Select(s => s.Name)]);
        }

        return (key, stat, descending ?? key < 0);
    }

    private static int IndexOf(IEnumerable<string> names, string name)
    {
        int index = 0;
        foreach (string candidate in names)
        {
            if (candidate == name)
            {
                return index;
            }

            index++;
        }

        return -1;
    }

    private int[] Sorted(int groups, int top)
    {
        int[] rows = new int[groups];
        for (int i = 0; i < groups; i++)
        {
            rows[i] = i;
        }

        if (groups < Many)
        {
            Heapify(rows);
            Unheap(rows);
        }
        else
        {
            new LogWordSort(_table, Steps(), this).Sort(rows);
        }

        return top <= 0 ? rows : _timeFirst ? FirstOfEach(rows, top) : top >= groups ? rows : FirstOf(rows, top);
    }

    // What Compare looks at, in its order.
    private LogWordStep[] Steps()
    {
        List<LogWordStep> steps = [];
        if (_timeFirst)
        {
            AddKey(steps, 0, false);
        }

        if (_key >= 0)
        {
            AddKey(steps, _key, _descending);
        }
        else if (_stat >= 0)
        {
            steps.Add(new(LogWordKind.StatMissing, _stat, false));
            steps.Add(new(LogWordKind.StatHigh, _stat, _descending));
            steps.Add(new(LogWordKind.StatLow, _stat, _descending));
        }
        else
        {
            steps.Add(new(LogWordKind.Count, 0, _descending));
        }

        for (int part = 0; part < _table.Keys.Count; part++)
        {
            AddKey(steps, part, false);
        }

        return [.. steps];
    }

    private void AddKey(List<LogWordStep> steps, int part, bool descending)
    {
        LogKeyColumn key = _table.Keys[part];
        LogWordKind[] kinds = IsTime(key) ? [LogWordKind.KeyPresent, LogWordKind.KeyTime]
            : part == _key && key.Kind == LogKind.Integer
                ? [LogWordKind.KeyPresent, LogWordKind.KeyOdd, LogWordKind.KeyNumber, LogWordKind.KeyText]
            : [LogWordKind.KeyText];
        steps.AddRange(kinds.Select(kind => new LogWordStep(kind, part, descending)));
    }

    // Not rows[..top], for which code would be made at run time.
    private static int[] FirstOf(int[] rows, int top)
    {
        int[] first = new int[top];
        Array.Copy(rows, first, top);
        return first;
    }

    private int[] FirstOfEach(int[] rows, int top)
    {
        List<int> kept = [];
        int inInterval = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            bool same = i > 0 && CompareKey(_table.Groups[rows[i - 1]], _table.Groups[rows[i]], 0) == 0;
            inInterval = same ? inInterval + 1 : 1;
            if (inInterval <= top)
            {
                kept.Add(rows[i]);
            }
        }

        return [.. kept];
    }

    private int[] First(int groups, int top)
    {
        // A heap whose head is the worst of the kept rows, ready to make room for a better one. Not a PriorityQueue: the runtime has none of
        // whole numbers compiled ahead of time, and a report on a small file would wait for it.
        int[] heap = new int[top];
        for (int i = 0; i < top; i++)
        {
            heap[i] = i;
        }

        Heapify(heap);
        for (int i = top; i < groups; i++)
        {
            if (Compare(i, heap[0]) < 0)
            {
                heap[0] = i;
                Sink(heap, 0, top);
            }
        }

        Unheap(heap);
        return heap;
    }

    // Puts the worst row at the head.
    private void Heapify(int[] rows)
    {
        for (int i = (rows.Length / 2) - 1; i >= 0; i--)
        {
            Sink(rows, i, rows.Length);
        }
    }

    // Sorts a heap: its head, the worst of it, goes to its end, again and again. No two rows are equal, so it need not be stable.
    private void Unheap(int[] heap)
    {
        for (int count = heap.Length - 1; count > 0; count--)
        {
            (heap[0], heap[count]) = (heap[count], heap[0]);
            Sink(heap, 0, count);
        }
    }

    // Moves a row down until none below it is worse.
    private void Sink(int[] heap, int at, int count)
    {
        int row = heap[at];
        for (int child = (2 * at) + 1; child < count; child = (2 * at) + 1)
        {
            if (child + 1 < count && Compare(heap[child + 1], heap[child]) > 0)
            {
                child++;
            }

            if (Compare(heap[child], row) <= 0)
            {
                break;
            }

            heap[at] = heap[child];
            at = child;
        }

        heap[at] = row;
    }

    private int Directed(int result) => _descending ? -result : result;

    // A row without a value stands last in either direction.
    private int CompareStat(in LogGroup a, in LogGroup b)
    {
        LogStatColumn column = _table.Stats[_stat];
        LogCell x = _table.Cell(a, _stat);
        LogCell y = _table.Cell(b, _stat);
        bool hasX = LogNumber.HasValue(column, x);
        bool hasY = LogNumber.HasValue(column, y);
        return !hasX || !hasY ? hasY.CompareTo(hasX)
            : LogNumber.TryNarrow(column, x, out long i) && LogNumber.TryNarrow(column, y, out long j) ? Directed(i.CompareTo(j))
            : Directed(CompareWide(column, x, y));
    }

    // On its own, for methods with integers of 128 bits are never compiled ahead of time.
    private static int CompareWide(LogStatColumn column, LogCell x, LogCell y) =>
        LogNumber.ValueOf(column, x)!.Value.CompareTo(LogNumber.ValueOf(column, y)!.Value);

    // Null first, then times by value; where the key is what rows are sorted by, whole numbers by value and before all else, such as lists;
    // then bytes, unsigned. Numbers and other texts must not mix: 9 < 10 by value and 10 < "2, 1" < 9 by bytes would be no order.
    private int CompareKey(in LogGroup a, in LogGroup b, int part)
    {
        bool hasX = _table.TryGetKey(a, part, out ReadOnlySpan<byte> x);
        bool hasY = _table.TryGetKey(b, part, out ReadOnlySpan<byte> y);
        if (!hasX || !hasY)
        {
            return hasX.CompareTo(hasY);
        }

        LogKeyColumn key = _table.Keys[part];
        if (IsTime(key))
        {
            return LogTableAnswer.TimeOf(x).CompareTo(LogTableAnswer.TimeOf(y));
        }

        int result = 0;
        if (part == _key && key.Kind == LogKind.Integer)
        {
            bool isNumberX = TryInteger(x, out long i);
            bool isNumberY = TryInteger(y, out long j);
            result = isNumberX && isNumberY ? i.CompareTo(j) : isNumberY.CompareTo(isNumberX);
        }

        return result != 0 ? result : x.SequenceCompareTo(y);
    }
}

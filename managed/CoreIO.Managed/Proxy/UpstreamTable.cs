// Which upstream a connection goes to, and whether they are up. The same as native/src/proxy/upstream.c.
//
// An upstream goes down after `fall` failures in a row. Where upstreams are checked, `rise` good checks bring it back; where they are not, one
// connection at a time tries it again after a pause. When none of a group is up and nobody checks, all are tried: a guess may serve a client,
// and refusing never does.
//
// Connections choose on any thread; a few times in the life of one, so one lock serves all.
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal sealed class UpstreamTable(Terms terms)
{
    private readonly Lock _gate = new();
    private readonly List<Upstream> _all = [];
    private readonly bool _checked = terms.CheckInterval > 0;

    internal int Count => _all.Count;

    internal Upstream this[int index] => _all[index];

    /// <summary>Adds one of a plan: 0 or a status. Before the start.</summary>
    internal int Add(ProxyUpstream plan)
    {
        if (Upstream.Of(_all.Count, plan) is not { } upstream)
        {
            return StatusCode.InvalidArgument;
        }

        _all.Add(upstream);
        return 0;
    }

    /// <summary>Whether a group has any upstream at all.</summary>
    internal bool Has(int group)
    {
        foreach (Upstream upstream in _all)
        {
            if (upstream.Group == group)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Chooses one of the group that is not among <paramref name="tried"/>, a bit for each index modulo 64; null for none.</summary>
    internal Upstream? Choose(int group, ulong source, ulong tried, long now)
    {
        lock (_gate)
        {
            Upstream? found = Choose(group, source, tried, any: false, now);
            if (found is { Up: false })
            {
                // Taken: the next one that may try it again is to wait for its turn.
                found.RetryAt = Clock.After(now, terms.Retry);
            }

            return found ?? (_checked ? null : Choose(group, source, tried, any: true, now));
        }
    }

    /// <summary>Notes that a connect, or a check, succeeded.</summary>
    internal void Succeeded(Upstream upstream, bool check)
    {
        lock (_gate)
        {
            upstream.Checks += check ? 1 : 0;
            upstream.Connects += check ? 0 : 1;
            upstream.Bad = 0;
            if (!upstream.Up && (!check || ++upstream.Good >= terms.Rise))
            {
                upstream.Good = 0;
                upstream.Up = true;
            }
        }
    }

    /// <summary>Notes that a connect, or a check, failed with an errno.</summary>
    internal void Failed(Upstream upstream, bool check, int error, long now)
    {
        lock (_gate)
        {
            upstream.Checks += check ? 1 : 0;
            upstream.Failures++;
            upstream.LastError = error;
            upstream.Good = 0;
            if (++upstream.Bad >= terms.Fall)
            {
                upstream.RetryAt = Clock.After(now, terms.Retry);
                upstream.Up = false;
            }
        }
    }

    /// <summary>Counts a connection in.</summary>
    internal void Enter(Upstream upstream)
    {
        lock (_gate)
        {
            upstream.Live++;
        }
    }

    /// <summary>Counts a connection out, with what came from the upstream and what went to it.</summary>
    internal void Leave(Upstream upstream, long bytesIn, long bytesOut)
    {
        lock (_gate)
        {
            upstream.Live--;
            upstream.BytesIn += bytesIn;
            upstream.BytesOut += bytesOut;
        }
    }

    /// <summary>Writes how they stand, as many as fit; how many there are.</summary>
    internal int Read(Span<ProxyUpstreamState> states)
    {
        lock (_gate)
        {
            for (int i = 0; i < _all.Count && i < states.Length; i++)
            {
                states[i] = _all[i].State;
            }
        }

        return _all.Count;
    }

    private Upstream? Choose(int group, ulong source, ulong tried, bool any, long now) =>
        Choose(group, source, tried, backup: false, any, now) ?? Choose(group, source, tried, backup: true, any, now);

    // Smooth weighted round robin, as nginx has it: each gains its weight, the richest is taken and pays for all. It also decides where the
    // score of another balance is even.
    private Upstream? Choose(int group, ulong source, ulong tried, bool backup, bool any, long now)
    {
        Upstream? best = null;
        double bestScore = 0;
        long weights = 0;
        foreach (Upstream upstream in _all)
        {
            if (!Eligible(upstream, group, tried, backup, any, now))
            {
                continue;
            }

            weights += upstream.Weight;
            upstream.Credit += upstream.Weight;
            double score = terms.Balance switch
            {
                ProxyBalance.LeastConnections => -(double)upstream.Live / upstream.Weight,
                ProxyBalance.Source when source != 0 => Score(upstream, source),
                _ => upstream.Credit,
            };
            if (best is null || score > bestScore || (score == bestScore && upstream.Credit > best.Credit))
            {
                best = upstream;
                bestScore = score;
            }
        }

        if (best is not null)
        {
            best.Credit -= weights;
        }

        return best;
    }

    // With `any` it need not be up.
    private bool Eligible(Upstream upstream, int group, ulong tried, bool backup, bool any, long now) =>
        upstream.Group == group && (tried >> (upstream.Index % 64) & 1) == 0 && upstream.Backup == backup
        && (any || upstream.Up || (!_checked && now >= upstream.RetryAt));

    // Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights as in Schindelhauer and Schomaker 2005): a score is the weight over an
    // exponential variable of source and upstream.
    private static double Score(Upstream upstream, ulong source)
    {
        // In (0, 1].
        double uniform = ((Mixing.Mix(source ^ upstream.Key) >> 11) + 1.0) / 9007199254740992.0;
        return uniform >= 1.0 ? double.PositiveInfinity : upstream.Weight / -Math.Log(uniform);
    }
}

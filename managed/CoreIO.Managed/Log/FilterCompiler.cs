// Compiles filter expressions (docs/queries.md, section 2): a recursive descent that emits steps as it reads.
using System.Text;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class FilterCompiler
{
    private const int MaxDepth = 64;

    private static readonly byte[][] TwoByteOperators =
        ["=="u8.ToArray(), "!="u8.ToArray(), "<="u8.ToArray(), ">="u8.ToArray(), "^="u8.ToArray(), "$="u8.ToArray(), "*="u8.ToArray(),
            "=~"u8.ToArray(), "&&"u8.ToArray(), "||"u8.ToArray()];

    private readonly string _where;
    private readonly byte[] _text;
    private readonly Plan _plan;
    private readonly List<FilterStep> _steps = [];
    private Token _token;
    private int _begin;
    private int _end;
    private int _depth;

    private FilterCompiler(string where, Plan plan)
    {
        _where = where;
        _text = Encoding.UTF8.GetBytes(where);
        _plan = plan;
    }

    private enum Token
    {
        End,
        Name,
        Number,
        String,
        Operator,
        Other,
    }

    private ReadOnlySpan<byte> TokenText => _text.AsSpan(_begin, _end - _begin);

    /// <summary>Compiles an expression and adds what it needs to the plan.</summary>
    internal static Filter Compile(string where, Plan plan)
    {
        FilterCompiler compiler = new(where, plan);
        compiler.Advance();
        compiler.CompileAny();
        if (compiler._token != Token.End)
        {
            throw compiler.FaultHere(LogFault.UnexpectedText);
        }

        return new Filter([.. compiler._steps]);
    }

    private static bool IsLetter(byte b) => char.IsAsciiLetter((char)b) || b == (byte)'_';

    private static bool IsDigit(byte b) => char.IsAsciiDigit((char)b);

    private void CompileAny() => CompileJoined(FilterOp.JumpIfTrue, "or"u8, "||"u8, CompileAll);

    private void CompileAll() => CompileJoined(FilterOp.JumpIfFalse, "and"u8, "&&"u8, CompileFactor);

    /// <summary>One operand, then as many more as the word joins; each jump over the rest ends at the same place.</summary>
    private void CompileJoined(FilterOp jump, ReadOnlySpan<byte> word, ReadOnlySpan<byte> sign, Action compileOperand)
    {
        List<FilterStep> jumps = [];
        compileOperand();
        while (TokenText.SequenceEqual(sign) || TokenText.SequenceEqual(word))
        {
            jumps.Add(Emit(new FilterStep(jump)));
            Advance();
            compileOperand();
        }

        foreach (FilterStep step in jumps)
        {
            step.Target = _steps.Count;
        }
    }

    private void CompileFactor()
    {
        bool isNot = TokenText.SequenceEqual("not"u8) || TokenText.SequenceEqual("!"u8);
        if (!isNot && !TokenText.SequenceEqual("("u8))
        {
            CompileComparison();
            return;
        }

        if (++_depth > MaxDepth)
        {
            throw FaultHere(LogFault.TooDeep);
        }

        Advance();
        if (isNot)
        {
            CompileFactor();
            Emit(new FilterStep(FilterOp.Not));
        }
        else
        {
            CompileAny();
            if (!TokenText.SequenceEqual(")"u8))
            {
                throw FaultHere(LogFault.ExpectedClose);
            }

            Advance();
        }

        _depth--;
    }

    private void CompileComparison()
    {
        int nameBegin = _begin;
        int nameLength = _end - _begin;
        if (_token != Token.Name)
        {
            throw FaultHere(LogFault.ExpectedField);
        }

        if (!FieldNames.Resolve(_plan.Format, Encoding.UTF8.GetString(TokenText), out Column column))
        {
            throw FaultHere(LogFault.UnknownField);
        }

        if (column.Derivation is Derivation.Minute or Derivation.Interval)
        {
            throw FaultHere(LogFault.ExpectedField);
        }

        Advance();
        FilterOp op = ReadOperator() ?? throw FaultHere(LogFault.ExpectedOperator);
        int opBegin = _begin;
        Advance();
        switch (_token)
        {
            case Token.Number:
                if (op > FilterOp.TextGreaterOrEqual)
                {
                    throw Fault(LogFault.TextOperator, opBegin, 2);
                }

                if (column.Kind == LogKind.Text && !column.IsFree)
                {
                    throw Fault(LogFault.NotNumeric, nameBegin, nameLength);
                }

                CompileNumber(op, column, nameBegin, nameLength);
                break;
            case Token.String:
                CompileText(op, column, nameBegin, nameLength);
                break;
            default:
                throw FaultHere(LogFault.ExpectedValue);
        }

        Advance();
    }

    private void CompileNumber(FilterOp op, in Column column, int nameBegin, int nameLength)
    {
        bool whole = column.Kind == LogKind.Integer;
        if (!Numbers.TryReadNumber(TokenText, whole ? 0 : 6, out long value, out int decimals) || decimals > 6)
        {
            throw FaultHere(LogFault.BadNumber);
        }

        int number = _plan.AddNumber(column);
        if (number < 0)
        {
            throw Fault(LogFault.TooMany, nameBegin, nameLength);
        }

        Emit(new FilterStep(op - FilterOp.TextEqual + FilterOp.Equal) { Column = number, Number = value });
    }

    private void CompileText(FilterOp op, in Column column, int nameBegin, int nameLength)
    {
        int text = _plan.AddText(column);
        if (text < 0)
        {
            throw Fault(LogFault.TooMany, nameBegin, nameLength);
        }

        byte[] value = ReadString();
        Pattern? pattern = null;
        if (op == FilterOp.Matches)
        {
            pattern = PatternCompiler.Compile(value, out LogFault fault);
            if (pattern is null)
            {
                throw FaultHere(fault);
            }
        }

        Emit(new FilterStep(op) { Column = text, Text = value, Pattern = pattern });
    }

    /// <summary>The comparison the token is, as the operator for texts.</summary>
    private FilterOp? ReadOperator() => _token != Token.Operator ? null : Encoding.UTF8.GetString(TokenText) switch
    {
        "==" => FilterOp.TextEqual,
        "!=" => FilterOp.TextNotEqual,
        "<" => FilterOp.TextLess,
        "<=" => FilterOp.TextLessOrEqual,
        ">" => FilterOp.TextGreater,
        ">=" => FilterOp.TextGreaterOrEqual,
        "^=" => FilterOp.Prefix,
        "$=" => FilterOp.Suffix,
        "*=" => FilterOp.Contains,
        "=~" => FilterOp.Matches,
        _ => null,
    };

    /// <summary>The string token without its quotes and backslashes.</summary>
    private byte[] ReadString()
    {
        List<byte> value = [];
        for (int at = _begin + 1; at < _end - 1; at++)
        {
            if (_text[at] == (byte)'\\')
            {
                at++;
            }

            value.Add(_text[at]);
        }

        return [.. value];
    }

    /// <summary>Reads the next token.</summary>
    private void Advance()
    {
        int at = _end;
        while (at < _text.Length && _text[at] is (byte)' ' or (>= (byte)'\t' and <= (byte)'\r'))
        {
            at++;
        }

        _begin = at;
        if (at == _text.Length)
        {
            _token = Token.End;
            _end = at;
            return;
        }

        byte first = _text[at];
        _end = at + 1;
        if (IsLetter(first))
        {
            _token = Token.Name;
            while (_end < _text.Length && (IsLetter(_text[_end]) || IsDigit(_text[_end])))
            {
                _end++;
            }
        }
        else if (IsDigit(first) || (first == (byte)'-' && at + 1 < _text.Length && IsDigit(_text[at + 1])))
        {
            _token = Token.Number;
            SkipDigits();
            if (_end + 1 < _text.Length && _text[_end] == (byte)'.' && IsDigit(_text[_end + 1]))
            {
                _end++;
                SkipDigits();
            }
        }
        else if (first is (byte)'"' or (byte)'\'')
        {
            _token = Token.String;
            while (_end < _text.Length && _text[_end] != first)
            {
                _end += _text[_end] == (byte)'\\' ? 2 : 1;
            }

            if (_end >= _text.Length)
            {
                throw Fault(LogFault.UnterminatedString, at, _text.Length - at);
            }

            _end++;
        }
        else
        {
            _token = first is (byte)'<' or (byte)'>' or (byte)'!' ? Token.Operator : Token.Other;
            ReadOnlySpan<byte> rest = _text.AsSpan(at);
            foreach (byte[] candidate in TwoByteOperators)
            {
                if (rest.StartsWith(candidate))
                {
                    _token = Token.Operator;
                    _end = at + 2;
                }
            }
        }
    }

    private void SkipDigits()
    {
        while (_end < _text.Length && IsDigit(_text[_end]))
        {
            _end++;
        }
    }

    private FilterStep Emit(FilterStep step)
    {
        _steps.Add(step);
        return step;
    }

    private LogSyntaxException FaultHere(LogFault fault) => Fault(fault, _begin, _end - _begin);

    private LogSyntaxException Fault(LogFault fault, int offset, int length) => new(LogSyntaxPart.Where, fault, _where, offset, length);
}

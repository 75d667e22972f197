# Counts lines of nginx's and Apache's combined format without CoreIO: after the request, a status and a size; then quoted fields, as many
# as QUOTED says. Prints a line for each status and each client, and the number of lines that do not fit.

BEGIN {
    pattern = "^([^\"\\\\]|\\\\.)*\" [0-9]+ ([0-9]+|-)"
    for (i = 0; i < QUOTED; i++)
        pattern = pattern " \"([^\"\\\\]|\\\\.)*\""
    pattern = pattern "$"
}

{
    at = index($0, "] \"")
    rest = substr($0, at + 3)
    if (at == 0 || rest !~ pattern) {
        unfit++
        next
    }
    match(rest, /^([^"\\]|\\.)*" /)
    split(substr(rest, RLENGTH + 1), part, " ")
    count[part[1]]++
    clients[$1]++
    if (part[2] != "-")
        sum[part[1]] += part[2]
}

END {
    printf "unfit %d\n", unfit
    for (status in count)
        printf "status %s %d %.0f\n", status, count[status], sum[status]
    for (client in clients)
        printf "client %s %d\n", client, clients[client]
}

# Writes edge-access.log: lines of the edge format as several edge hosts would send them to one syslog server.
#
#     awk -f samples/edge-access.awk > samples/edge-access.log
#
# Everything is made up and seeded, so every awk writes the same bytes: the random numbers are Park and Miller's
# (16807 modulo 2^31 - 1), which doubles hold exactly, and every number is printed by %d.

function random(below) {
    seed = (seed * 16807) % 2147483647
    return seed % below
}

# One of the items that `~` separates.
function pick(list,    parts, n) {
    n = split(list, parts, "~")
    return parts[1 + random(n)]
}

# Milliseconds as nginx writes them, 1234 as 1.234.
function seconds(ms) {
    return sprintf("%d.%03d", (ms - ms % 1000) / 1000, ms % 1000)
}

function client(    kind) {
    kind = random(10)
    if (kind == 0)
        return "-"
    if (kind < 3)
        return sprintf("2001:db8:%x::%x", random(64), 1 + random(500))
    return sprintf("203.0.%d.%d:%d", random(113), 1 + random(254), 1024 + random(60000))
}

# A path; some hold what a lexer may stumble over: bars, quotes, an escaped bracket, escaped bytes.
function path(    kind) {
    kind = random(40)
    if (kind == 0)
        return "/filter/a|b|c?size=1|2"
    if (kind == 1)
        return "/search?q=\"quoted text\""
    if (kind == 2)
        return "/list\\[0\\]?x=1"
    if (kind == 3)
        return "/caf\\xC3\\xA9?utf8=\\xE2\\x9C\\x93"
    if (kind < 14)
        return sprintf("/img/%d.jpg?w=%d", random(300), 100 * (1 + random(8)))
    if (kind < 24)
        return pick("/~/index.html~/login~/cart~/health~/robots.txt")
    return sprintf("/api/v%d/%s/%d", 1 + random(2), pick("items~users~orders"), random(120))
}

BEGIN {
    seed = 20230227
    lines = 4000
    clock = 11 * 3600 + 53 * 60 + 25
    for (i = 0; i < lines; i++) {
        clock += random(4) == 0
        time = sprintf("%02d:%02d:%02d", (clock - clock % 3600) / 3600, (clock % 3600 - clock % 60) / 60, clock % 60)
        status = pick("200~200~200~200~200~200~200~200~200~206~301~302~304~304~404~404~403~499~500~502~503~504")
        total = 1 + random(20) * random(20) * (1 + random(5))
        if (random(50) == 0)
            total += 3000 + random(27000)

        # Most requests go to one upstream, some to none, and one that failed is tried again, at times after an internal redirect.
        attempts = 1
        if (status == 304 || status == 403 || random(12) == 0)
            attempts = 0
        else if (status >= 500 || random(25) == 0)
            attempts = 2 + random(2)
        address = "-"; code = "-"; response = "-"; connect = "-"; header = "-"
        for (k = 1; k <= attempts; k++) {
            glue = ", "
            if (k == 3)
                glue = " : "
            address = (k == 1 ? "" : address glue) sprintf("10.20.%d.%d:%d", random(3), 1 + random(9), 8080 + random(2))
            last = k == attempts
            # An upstream that does not answer has no status and no header time.
            dead = !last && random(3) == 0
            part = last ? total : random(total + 1)
            code = (k == 1 ? "" : code glue) (dead ? "-" : (last && status != 499 ? status : "502"))
            response = (k == 1 ? "" : response glue) seconds(part)
            connect = (k == 1 ? "" : connect glue) (dead ? "-" : seconds(part % 7))
            header = (k == 1 ? "" : header glue) (dead ? "-" : seconds(part - part % 3))
        }

        host = pick("img.map.example.com~img.map.example.com~img.map.example.com~www.example.com~www.example.com~api.example.org:8443~static.example.net~-")
        bytes = random(3) == 0 ? random(800) : random(60000) * (1 + random(40))
        method = pick("GET~GET~GET~GET~GET~GET~POST~POST~HEAD~PUT~OPTIONS")
        line = sprintf("Feb 27 %s edge%02d nginx: [%s] [27/Feb/2023:%s +0800]", time, 1 + random(6), \
            random(3) ? sprintf("%08x%08x", random(2147483647), random(2147483647)) : "-", time)
        line = line sprintf(" [%s] [120.232.31.%d:443] [%s]", pick("https~https~https~http"), 190 + random(9), host)
        line = line sprintf(" [%s] [%s] [%s] [%s] [%d]", client(), status, address, code, 3339597 + i)
        line = line sprintf(" [%s %s HTTP/%s] [%d] [%d]", method, path(), pick("1.1~1.1~2.0"), 100 + random(3000), bytes)
        line = line sprintf(" [%s]", host)
        line = line sprintf(" [%s]", pick("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/110.0~curl/7.88.1~okhttp/4.9.3~-~Bot | one [a\\]"))
        if (random(200) > 0) {
            line = line sprintf(" [%s]", pick("-~-~https://www.example.com/~https://www.example.com/cart"))
            line = line sprintf(" [%s] [%s] [%s] [%s] [%d]", seconds(total), response, connect, header, 1200 + random(8))
            if (random(3) > 0)
                line = line " [r][-] [-]"
            if (random(5) == 0)
                line = line " [" pick("TLSv1.2~TLSv1.3") "] x|y||z"
        }
        # What the network loses: a line cut off inside a field, now and then.
        if (random(500) == 0)
            line = substr(line, 1, 120 + random(60))
        print line
    }
}

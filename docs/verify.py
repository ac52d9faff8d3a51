#!/usr/bin/env python3
"""Check a city's public books without any of Sluice's code: docs/release.md has the formats.

    python3 docs/verify.py DIR...   a copy of a gateway's public/ directory; of several gateways, each one's
    python3 docs/verify.py URL      an open-data server: its numbers are compared, too, with the books of all its gateways

Nothing but Python's own library. Exit code 1 when something is wrong, 4 when it cannot be read.
"""
import csv, datetime, decimal, gzip, hashlib, itertools, json, math, re, shutil, subprocess, sys, tempfile, time, urllib.error, urllib.parse, urllib.request, zoneinfo

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
wrong = 0
whose = ""  # gateway, where there are several
doubts = None  # a list: what is wrong is kept there for now


def bad(text):
    global wrong
    if doubts is not None:
        doubts.append(text)
        return
    wrong += 1
    say("WRONG:", whose + text)


def say(*parts):
    """Names are of whoever wrote the books: none makes another line, or steers a terminal."""
    print("".join(c if c.isprintable() else "?" for c in " ".join(map(str, parts))))


class Place:
    """A gateway's books: a directory, or a path of a server."""

    def __init__(self, root, books="/books"):
        self.root, self.books, self.remote = root.rstrip("/"), books, "://" in root


def get(where, name):
    if where.remote:
        if name.startswith("/books/"):
            name = where.books + name.removeprefix("/books")
        return urllib.request.urlopen(where.root + name).read()
    return open(where.root + name.removeprefix("/books"), "rb").read()


def places(named):
    """The books of all gateways: of directories, or of whatever a server says that it has."""
    if "://" not in named[0]:
        return [Place(d) for d in named]
    root = named[0].rstrip("/").removesuffix("/books")
    list = json.loads(optional(Place(root), "/books/gateways.json") or b"{}").get("gateways", [])
    if len(list) < 2:
        return [Place(root)]
    return [Place(root, "/books/gateways/" + urllib.parse.quote(g["books"].split("/books/gateways/")[-1], safe="")) for g in list]


def optional(where, name):
    """A file that need not be there: a book without a line has none."""
    try:
        return get(where, name)
    except FileNotFoundError:
        return b""
    except urllib.error.HTTPError as e:
        if e.code != 404:
            raise
        return b""


def chain(raw, name):
    """Each line has its number and the SHA-256 of the line before it."""
    out, prev = [], ""
    for n, line in enumerate(raw.split(b"\n")[:-1], 1):
        entry = json.loads(line)
        if entry["n"] != n or entry["prev_sha256"] != prev:
            bad(f"{name}, line {n} does not follow from the one before")
        prev = hashlib.sha256(line).hexdigest()
        out.append(entry)
    return out


def seconds(period):
    """PT15M, PT6H, P1D: what windows and epochs may be."""
    if period == "P1D":
        return 86400
    total, number = 0, ""
    for c in period.removeprefix("PT"):
        if c.isdigit():
            number += c
        else:
            total, number = total + int(number) * {"H": 3600, "M": 60, "S": 1}[c], ""
    return total


def epochs(plan, day):
    """How many epochs a local day has: the last one may be short, days have 23 to 25 hours."""
    step = seconds(plan["forget_after"])
    if step >= 86400:
        return 1
    zone = zoneinfo.ZoneInfo(plan["timezone"])
    first = datetime.datetime.combine(day, datetime.time(), zone)
    last = datetime.datetime.combine(day + datetime.timedelta(1), datetime.time(), zone)
    return math.ceil((last.timestamp() - first.timestamp()) / step)


def bound(m):
    """What one unit adds to one (cell, window) pair at most, in the measure's unit."""
    low, high = m.get("low", 0), m.get("high", 0)
    return {"count": high, "sum": max(abs(low), abs(high)), "mean": (high - low) / 2}.get(m["of"], 1)


def sigma(epsilon, delta):
    """Analytic Gaussian mechanism, sensitivity 1 (Balle, Wang 2018, theorem 8)."""
    phi = lambda z: math.erfc(-z / math.sqrt(2)) / 2
    low, high = 1e-4, 1e5
    while high / low > 1 + 1e-9:
        s = math.sqrt(low * high)
        tight = phi(1 / (2 * s) - epsilon * s) - math.exp(epsilon) * phi(-1 / (2 * s) - epsilon * s) <= delta
        low, high = (low, s) if tight else (s, high)
    return high


def counts_epochs(plan, method):
    """Whether a fiftieth of epsilon pays for each of two numbers of every epoch."""
    return method >= 3 and bool(plan["unit"].get("field"))


def ends_epoch(plan, start, end):
    """Whether a window is the last of its epoch."""
    zone, step = zoneinfo.ZoneInfo(plan["timezone"]), seconds(plan["forget_after"])
    day = instant(start).astimezone(zone).date()
    first, last = (datetime.datetime.combine(d, datetime.time(), zone).timestamp() for d in (day, day + datetime.timedelta(1)))
    return instant(end).timestamp() == min(last, first + ((instant(start).timestamp() - first) // step + 1) * step if step < 86400 else last)


def shares(plan, method):
    """Into how many parts a plan's epsilon is divided: what the numbers of epochs leave is 24/25 of it."""
    known = plan["protect"].get("membership") == "public" or any(m["of"] == "distinct" for m in plan["measures"])
    of_measures = len(plan["measures"]) + (not known)
    return of_measures * (25 / 24 if counts_epochs(plan, method) else 1)


def scale_of(plan, mechanism, bound, parts, pairs=None):
    p, pairs = plan["protect"], pairs or plan["protect"]["max_contributions"]
    if mechanism == "laplace":
        return pairs * bound * parts / p["epsilon"]
    return bound * math.sqrt(pairs * parts) * sigma(p["epsilon"], p["delta"])


def threshold(plan, mechanism, method):
    """min_units and the least step that is published with at most 1 - (1 - delta)^(1/C); a noisy floor has no step."""
    if plan["protect"].get("membership") == "public":
        return 0
    if plan["protect"].get("floor") == "noisy":
        return plan["protect"]["min_units"]
    p, b, t = plan["protect"], scale_of(plan, mechanism, 1, shares(plan, method)), 0
    most = -math.expm1(math.log1p(-p["delta"]) / p["max_contributions"])
    tail = lambda t: math.exp(-t / b) / (1 + math.exp(-1 / b)) if mechanism == "laplace" else math.erfc((t - 0.5) / b / math.sqrt(2)) / 2
    while tail(t) > most:
        t += 1
    return p["min_units"] + t


def on_grid(plan, start):
    """A window starts a whole number of steps after local midnight."""
    zone, step = zoneinfo.ZoneInfo(plan["timezone"]), seconds(plan["every"])
    at = datetime.datetime.fromisoformat(start.replace("Z", "+00:00"))
    midnight = datetime.datetime.combine(at.astimezone(zone).date(), datetime.time(), zone)
    return (at.timestamp() - midnight.timestamp()) % step == 0 or step >= 86400 and at.timestamp() == midnight.timestamp()


def scales(plan, mechanism, method):
    """The scale that every number of a plan carries, by its name."""
    out = {}
    for m in plan["measures"]:
        scale = scale_of(plan, mechanism, bound(m), shares(plan, method) * (2 if m["of"] == "mean" else 1))
        names = [m["name"]]
        if m["of"] == "histogram":
            names = [f"{m['name']}_{plain(a)}_{plain(b)}" for a, b in zip(m["edges"], m["edges"][1:])]
        out.update({name: scale for name in names})
    if counts_epochs(plan, method):
        out.update({name: scale_of(plan, mechanism, 1, 50, pairs=1) for name in ("units_epoch", "units_bounded")})
    return out


def plain(v):
    """A number without exponent, in as few digits as it needs."""
    if v is None:
        return ""
    text = format(decimal.Decimal(repr(float(v))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def digest(rows):
    lines = ["\t".join([o["cell"], o["measure"], o["status"], o["reason"], plain(o["value"]), plain(o["low"]), plain(o["high"])]) + "\n"
             for o in sorted(rows, key=lambda o: (o["cell"].encode(), o["measure"].encode()))]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def shown(where, stream):
    """Every row that is shown of a stream, from the first instant to the last, in order."""
    last, path = None, f"/api/v1/streams/{stream}/observations?from=1970-01-01T00:00:00Z&to=2200-12-31T00:00:00Z&limit=1000"
    while path:
        try:
            page = json.loads(get(where, path))
        except urllib.error.HTTPError as e:
            if e.code != 404:
                raise
            return  # a stream that is shown no more
        for o in page["items"]:
            if o["start"] != last:  # the numbers of an epoch belong to its last window
                yield from (e[name] for e in page.get("epochs", []) for name in ("units", "bounded") if e[name]["start"] == o["start"])
            yield o
            last = o["start"]
        path = (page["next"] or "").removeprefix(urllib.parse.urlsplit(where.root).path)


def later(at, period):
    """An instant and a period such as P5Y; its years, months and days are those of UTC."""
    parts = re.fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", period)
    years, months, weeks, days, hours, minutes, seconds = (int(n or 0) for n in parts.groups())
    at = at.astimezone(datetime.timezone.utc)
    month = at.month - 1 + months + 12 * years
    at, days = at.replace(year=at.year + month // 12, month=month % 12 + 1, day=1), days + 7 * weeks + at.day - 1
    return at + datetime.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def retention(yaml):
    """For how long a decision keeps numbers of windows shorter than a day, and of days: `retain: P5Y`, or {hours: P2Y, days: forever}."""
    found = re.search(r"^[\"']?retain[\"']?[ \t]*:(.*(?:\n(?:[ \t]+.*|#.*|[ \t]*$))*)", yaml, re.M)
    words = re.findall(r"[^\s{},:\"']+", re.sub(r"(?m)(^| )#.*", "", found[1])) if found else []
    return {"hours": words[0], "days": words[0]} if len(words) == 1 else dict(zip(words[::2], words[1::2]))


def kept(decision, stream, plans):
    """For how long a stream's numbers of a decision are kept; the longest time where it had windows of hours and of days. Empty: for ever."""
    says, longest = retention(decision["yaml"]), ""
    sorts = {"days" if seconds(p["every"]) >= 86400 else "hours" for p in plans.values() if (p["id"], p["decision"]) == (stream, decision["id"])}
    for period in (says.get(sort, "forever") for sort in sorts):
        if period == "forever":
            return ""
        longest = max(longest, period, key=lambda p: later(EPOCH, p) if p else EPOCH)
    return longest


def check_removals(where, removals, plans, decisions):
    """Numbers are removed when their decision's time for them is over, and not before."""
    simulation = json.loads(get(where, "/books/city.json")).get("simulation")
    for r in removals:
        until = instant(r["until"])
        if later(until, r["retain"]) > instant(r["at"]):
            bad(f"removals.jsonl, line {r['n']}: numbers were removed before {r['retain']} were over")
        if not simulation and instant(r["at"]) > datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(1):
            bad(f"removals.jsonl, line {r['n']}: its time has not come")
        decision = decisions.get(r["decision"], {"id": r["decision"], "yaml": "", "policy": r["policy"]})
        says = kept(decision, r["stream"], plans)
        if says and later(until, r["retain"]) >= later(until, says) or decision["policy"] != r["policy"]:
            continue
        if not says:
            bad(f"removals.jsonl, line {r['n']}: decision {r['decision']} does not say for how long its numbers are kept")
        else:
            bad(f"removals.jsonl, line {r['n']}: it says {r['retain']}; decision {r['decision']} says {says}")


def overstays(r, b):
    """Whether a window is shown days after the time for which its decision keeps it, by the books' time."""
    decision = b["decisions"].get(b["plans"][r["plan"]]["decision"])
    if not decision:
        return False
    says, late, newest = kept(decision, r["stream"], b["plans"]), datetime.timedelta(4), b["newest"]
    said = instant(decision.get("published", "1970-01-01T00:00:00Z"))
    return bool(says) and later(instant(r["end"]), says) + late < newest and said + late < newest


def was_removed(r, plans, removals):
    return any(x["stream"] == r["stream"] and x["gateway"] == r["gateway"] and x["decision"] == plans[r["plan"]]["decision"]
               and instant(r["end"]) <= instant(x["until"]) for x in removals)


def known(method):
    """Whether noise is computed by a method that is known here."""
    return type(method) is int and 1 <= method <= 3


def by_method(releases, ledger):
    """How noise is computed from the plan stands in the line of the ledger that paid for the day."""
    for r in releases:
        r["method"] = ledger[r["ledger"] - 1].get("method", 1) if 1 <= r["ledger"] <= len(ledger) else 1
        if not known(r["method"]):  # which is said of the line
            r["method"] = 1


def owners(books):
    """Whose each zone is, as zones.geojson says; no gateway's where it does not say."""
    zones = json.loads(optional(books["where"], "/books/zones.geojson") or b"{}").get("features", [])
    return {z.get("id", (z.get("properties") or {}).get("id")): (z.get("properties") or {}).get("gateway", "") for z in zones}


def check_zones(books):
    """A gateway releases nothing of a zone that is another's."""
    mine, of = books["gateway"], owners(books)
    for s in json.loads(optional(books["where"], "/books/streams.json") or b"[]") if mine else []:
        for zone in sorted({c["zone"] for c in s["cells"] or [] if not s.get("stopped")}):
            if of.get(zone) not in (None, "", mine):
                bad(f"stream {s['id']} has the zone {zone}, which zones.geojson gives to gateway {of[zone]}")


def check_names(all_books):
    """No book has lines under the name of a gateway whose books are others."""
    global whose
    for n, b in enumerate(all_books):
        for name in b["names"]:
            mine = b["gateway"] == name
            if any(o["gateway"] == name and not mine or (o["gateway"] == name) == mine and m < n and name in o["names"] for m, o in enumerate(all_books) if m != n):
                whose = b["whose"]
                bad(f"its books have lines of gateway {name}, whose books are others")
    whose = ""


def has_cell(plan, cell):
    values = (plan.get("category") or {}).get("values") or [""]
    return cell in {z + "/" + v if v else z for z in plan["zones"] for v in values} or cell == min(plan["zones"]) + "/"


def apart(rows, key, todo, all_books):
    """A window's rows by the name of their gateway; those that name none are that one's whose plan has the cell."""
    out = {}
    known = [(key[:2] + (name,), b) for b in all_books for name in b["names"] if key[:2] + (name,) in todo]
    for o in rows:
        name = o.get("gateway", "")
        if not name:
            fits = [k[2] for k, b in known if len(all_books) == 1 or has_cell(b["plans"][todo[k]["plan"]], o["cell"])]
            name = fits[0] if fits else ""
        out.setdefault(name, []).append(o)
    return known, out


def check_twice(known, todo, found):
    """No cell of a window was released by two gateways under one version of the policy."""
    for (a, one), (b, two) in itertools.combinations(known, 2):
        pair = (todo[a]["plan"], todo[b]["plan"])
        if todo[a]["policy"] != todo[b]["policy"] or pair in found:
            continue
        found.add(pair)
        both = [z for z in one["plans"][pair[0]]["zones"] if z in two["plans"][pair[1]]["zones"]]
        if both:
            bad(f"{a[0]} at {a[1]}: gateways {a[2]} and {b[2]} have both released {both[0]}")


def check_shown(all_books):
    """What was released is shown as it was, and what is shown was released, by that gateway."""
    global whose
    where = all_books[0]["where"]
    streams = {s["id"] for s in json.loads(get(where, "/api/v1/streams"))["streams"]}
    todo, of = {}, {}
    for b in all_books:
        for r in b["releases"]:
            key = (r["stream"], instant(r["start"]), r["gateway"])
            if key not in todo:  # another book that has it too is called wrong
                todo[key], of[key] = r, b
            streams.add(r["stream"])
    compared, unknown, twice = 0, {}, set()
    for stream in sorted(streams):
        for start, rows in itertools.groupby(shown(where, stream), key=lambda o: o["start"]):
            at = (stream, instant(start))
            known, groups = apart(list(rows), at, todo, all_books)
            whose = ""
            check_twice(known, todo, twice)
            for name, own in groups.items():
                key = at + (name,)
                if key not in todo:
                    unknown[key] = own if len(unknown) < 1000 else None
                    continue
                b = of[key]
                whose = b["whose"]
                if was_removed(todo[key], b["plans"], b["removals"]):
                    bad(f"{stream} at {start}: it is shown, and removals.jsonl says that it was removed")
                elif overstays(todo[key], b):
                    bad(f"{stream} at {start}: it is shown, and its decision keeps it no longer")
                compared += compare(todo.pop(key), own, b["plans"], at in b["hidden"])
    for key, r in todo.items():
        b, (stream, start, _) = of[key], key
        whose = b["whose"]
        if was_removed(r, b["plans"], b["removals"]):
            continue
        if any(g["stream"] == stream and instant(g["start"]) <= start < instant(g["end"]) for g in b["lost"]):
            say(f"{whose}{stream} at {start}: the store has lost it, as gaps.jsonl says")
            continue
        bad(f"{stream} at {start}: it was released and is not shown; if the store was away, try again later")
    for _ in range(5):  # the line of what was released a moment ago comes within seconds
        if not unknown:
            break
        time.sleep(3)
        compared += sum(check_late(b, unknown) for b in all_books)
    whose = ""
    for stream, start, name in unknown:
        bad(f"{stream} at {start}: it is shown and was never released" + (f" by gateway {name}" if name and len(all_books) > 1 else ""))
    return compared


def check_late(b, unknown):
    """Lines that have come since."""
    global whose
    where, whose, compared = b["where"], b["whose"], 0
    releases = chain(optional(where, "/books/releases.jsonl"), "releases.jsonl")
    by_method(releases, chain(optional(where, "/books/ledger.jsonl"), "ledger.jsonl"))
    for r in releases[len(b["releases"]):]:
        for name in (r["gateway"], ""):
            rows = unknown.get((r["stream"], instant(r["start"]), name))
            if not rows:
                continue
            if r["plan"] not in b["plans"]:
                b["plans"][r["plan"]] = json.loads(get(where, f"/books/plans/{r['plan']}.json"))
            own = [o for o in rows if has_cell(b["plans"][r["plan"]], o["cell"])]
            rest = [o for o in rows if o not in own]
            unknown.pop((r["stream"], instant(r["start"]), name))
            if rest:
                unknown[(r["stream"], instant(r["start"]), name)] = rest
            compared += compare(r, own, b["plans"], False) if own else 0
    return compared


def compare(r, rows, plans, hidden):
    if not hidden and digest(rows) != r["sha256"]:
        bad(f"{r['stream']} at {r['start']}: what is shown is not what was released")
    if hidden and len(rows) != r["rows"]:
        bad(f"{r['stream']} at {r['start']}: {len(rows)} numbers are shown of {r['rows']} that were released")
    plan, method = plans[r["plan"]], r.get("method", 1)
    of_epoch = [o for o in rows if o["cell"] == min(plan["zones"]) + "/"]
    if len(of_epoch) != 2 * (counts_epochs(plan, method) and ends_epoch(plan, r["start"], r["end"])):
        bad(f"{r['stream']} at {r['start']}: there are {len(of_epoch)} numbers of its epoch")
    for o in rows if plan["unit"]["stands_for"] != "none" else []:
        want = scales(plan, o["mechanism"], method).get(o["measure"], math.inf)
        if not 0.999 * want <= o["scale"] <= 1.002 * want:  # the sampler's sigma is up to a thousandth larger
            bad(f"{o['measure']} of {o['cell']} at {r['start']} carries noise of scale {o['scale']}; its plan asks for {want}")
        epsilon, least = plan["protect"]["epsilon"] / shares(plan, method), threshold(plan, o["mechanism"], method)
        if o in of_epoch:
            epsilon, least = plan["protect"]["epsilon"] / 50, o["threshold"] and math.inf  # they have none
        if abs(o["epsilon"] - epsilon) > 1e-9 or not 0 <= o["threshold"] - least <= (o["mechanism"] == "gaussian"):
            bad(f"{o['measure']} of {o['cell']} at {r['start']} has another epsilon or threshold than its plan")
    return len(rows)


def check_months(where, releases):
    """Each month that is final has a line; the last one of a month holds."""
    last = {}
    for a in chain(optional(where, "/books/archive.jsonl"), "archive.jsonl"):
        of = (a["stream"], a["month"])
        if a.get("replaces", 0) != last.get(of, {"n": 0})["n"]:
            bad(f"archive.jsonl, line {a['n']}: it does not replace the line before of its month")
        within = [r for r in releases if r["stream"] == a["stream"] and instant(a["from"]) <= instant(r["start"]) < instant(a["to"])]
        if a["windows"] > len(within):
            bad(f"archive.jsonl, line {a['n']}: it says {a['windows']} windows; {len(within)} were released")
        last[of] = a
    return last


def check_files(all_books):
    """Closed months of the archive against the lines of all gateways. A server without an archive has none."""
    where = Place(all_books[0]["where"].root)
    manifest = json.loads(optional(where, "/archive/manifest.json") or b'{"files": []}')
    months = [f for f in manifest["files"] if f["closed"] and f["format"] == "csv.gz"]
    for f in months:
        raw = optional(where, "/archive/" + urllib.parse.quote(f["path"]))
        if hashlib.sha256(raw).hexdigest() != f["sha256"]:
            bad(f"archive/{f['path']} is not what the manifest says; if it was just made again, try again")
            continue
        head, *rows = gzip.decompress(raw).splitlines(keepends=True)
        said = [b["months"][f["stream"], f["month"]] for b in all_books if (f["stream"], f["month"]) in b["months"]]
        column = next(csv.reader([head.decode()])).index("gateway")
        of = [cells[column] for cells in csv.reader(row.decode() for row in rows)]
        if len(said) > 1 and "" in of:
            continue  # rows of before do not say whose they are
        for a in said:
            own = [row for row, name in zip(rows, of) if name in ("", a["gateway"], *a.get("names", []))]
            if len(own) != a["rows"] or hashlib.sha256(head + b"".join(own)).hexdigest() != a["sha256"]:
                bad(f"archive/{f['path']}: its rows are not those of line {a['n']} of archive.jsonl")
        if sum(a["rows"] for a in said) != len(rows):
            bad(f"archive/{f['path']} has rows that no line of archive.jsonl has")
    return len(months)


def check_books(where, several):
    """One gateway's books, computed again."""
    global whose
    raw = optional(where, "/books/city.json")
    if not raw:
        raise OSError(f"there are no public books at {where.root}, so there is nothing to check")
    city = json.loads(raw)
    gateway = city.get("gateway", "")
    whose = f"gateway {gateway or where.books}: " if several else ""
    ledger = chain(optional(where, "/books/ledger.jsonl"), "ledger.jsonl")
    releases = chain(optional(where, "/books/releases.jsonl"), "releases.jsonl")
    by_method(releases, ledger)
    hidden = {(w["stream"], instant(w["start"])) for w in map(json.loads, optional(where, "/books/withdrawals.jsonl").splitlines())}
    removals = chain(optional(where, "/books/removals.jsonl"), "removals.jsonl")
    plans = {}
    for name in {e["plan"] for e in ledger + releases}:
        raw = get(where, f"/books/plans/{name}.json")
        if hashlib.sha256(raw).hexdigest() != name:
            bad(f"plan {name[:12]} is not what its name says")
        plans[name] = json.loads(raw)
    decisions = {d["id"]: d for d in json.loads(optional(where, "/books/decisions.json") or b"[]")}
    check_removals(where, removals, plans, decisions)
    newest = max((instant(r["end"]) for r in releases), default=EPOCH)

    spent = {}
    for e in ledger:
        of, plan = (e["gateway"], e["day"], e["unit"]), plans[e["plan"]]
        price = plan["protect"]["epsilon"] * epochs(plan, datetime.date.fromisoformat(e["day"]))
        if abs(price - e["epsilon"]) > 1e-9 * price:
            bad(f"ledger.jsonl, line {e['n']}: epsilon is {e['epsilon']}; the plan costs {price}")
        fits = spent.get(of, 0) + e["epsilon"] <= e["cap"] * (1 + 1e-9)
        if fits != (e["kind"] == "reserve"):
            bad(f"ledger.jsonl, line {e['n']}: {e['kind']}, with {spent.get(of, 0)} of {e['cap']} spent")
        spent[of] = spent.get(of, 0) + e["epsilon"] * fits
        if not known(e.get("method", 1)):
            bad(f"ledger.jsonl, line {e['n']}: its method is {e['method']}, which nobody here knows")
    seen = set()
    for r in releases:
        key, plan = (r["gateway"], r["stream"], r["start"]), plans[r["plan"]]
        if key in seen:
            bad(f"releases.jsonl, line {r['n']}: this window was decided before")
        seen.add(key)
        if plan["unit"]["stands_for"] != "none":
            zone = zoneinfo.ZoneInfo(plan["timezone"])
            want = (r["plan"], r["gateway"], str(datetime.datetime.fromisoformat(r["start"].replace("Z", "+00:00")).astimezone(zone).date()))
            line = ledger[r["ledger"] - 1] if 1 <= r["ledger"] <= len(ledger) else {}
            if tuple(line.get(k) for k in ("plan", "gateway", "day")) != want:
                bad(f"releases.jsonl, line {r['n']}: nothing paid for it")
        if not on_grid(plan, r["start"]):
            bad(f"releases.jsonl, line {r['n']}: it is no window of its plan")
    lost = [g for g in map(json.loads, optional(where, "/books/gaps.jsonl").splitlines()) if g["reason"] == "store_lost"]
    books = {"where": where, "whose": whose, "city": city, "gateway": gateway, "ledger": ledger, "releases": releases, "plans": plans, "hidden": hidden, "decisions": decisions, "newest": newest,
             "months": check_months(where, releases), "removals": removals, "lost": lost, "names": [*dict.fromkeys(r["gateway"] for r in releases)]}
    check_zones(books)
    return books


def signed(what, text, sig, signers, member, namespace):
    """Whether ssh-keygen takes a member's signature over a text; it is said where it is not here."""
    if not shutil.which("ssh-keygen"):
        say(what + ": its signature is not checked, since ssh-keygen is not here")
        return True
    with tempfile.TemporaryDirectory() as dir:
        for name, raw in ("signers", signers), ("sig", sig):
            with open(f"{dir}/{name}", "wb") as f:
                f.write(raw)
        done = subprocess.run(["ssh-keygen", "-Y", "verify", "-f", f"{dir}/signers", "-I", member, "-n", namespace, "-s", f"{dir}/sig"],
                              input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        bad(what + " does not hold")
    return done.returncode == 0


def cast(b, d):
    """Votes for a decision's motion: each is a signature over motion.txt, by a key that allowed_signers has. Whether one holds."""
    base, any_holds = f"/books/decisions/{d['id']}/", False
    given = [v for v in d.get("votes") or [] if v["verified"]]
    if given:
        motion, signers = optional(b["where"], base + "motion.txt"), optional(b["where"], base + "allowed_signers")
    for v in given:
        what = f"decision {d['id']}: the vote of {v['member']}"
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", v["member"]):
            bad(what + " is of nobody")
            continue
        sig = optional(b["where"], base + f"ballots/{v['member']}.sig")
        any_holds |= signed(what, motion, sig, signers, v["member"], "sluice-vote@" + b["city"].get("id", ""))
    return any_holds


def statements(b, d):
    """Ballots against, abstentions, and reasons for votes: each is a text of its member's, signed for a purpose of its own."""
    base = f"/books/decisions/{d['id']}/"
    motion = hashlib.sha256(optional(b["where"], base + "motion.txt")).hexdigest()
    city = d.get("namespace", "").removeprefix("sluice-vote@")
    # A roster is one for both purposes: a key that stands only in the other file is nobody's.
    signers = optional(b["where"], base + "allowed_signers").replace(f' namespaces="sluice-vote@{city}" '.encode(), f' namespaces="sluice-ballot@{city}" '.encode())
    if optional(b["where"], base + "statement_signers") != signers:
        bad(f"decision {d['id']}: statement_signers has others than allowed_signers")
    if len(d["statements"]) > 1000:
        bad(f"decision {d['id']} has {len(d['statements'])} statements; a council has 1000 members at most")
        return
    said = set()
    for s in d["statements"]:
        what = f"decision {d['id']}: the statement of {s['member']}"
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", str(s["member"])):
            bad(what + " is of nobody")
            continue
        if s["member"] in said:
            bad(what + " is there twice; one ballot counts")
            continue
        said.add(s["member"])
        text, sig = optional(b["where"], base + f"ballots/{s['member']}.txt"), optional(b["where"], base + f"ballots/{s['member']}.txt.sig")
        reason = f"Reason: {s['reason']}\n" if s.get("reason") else ""
        for_it = s["choice"] == "for"  # why, beside a vote that is over motion.txt as all are
        kind, choice = ("reason", "") if for_it else ("ballot", f"Choice: {s['choice']}\n")
        want = f"Sluice {kind}, format 1\n\nCity: {city}\nMotion: {d['motion']}\nText: sha256:{motion}\n{choice}{reason}"
        if text.decode("utf-8", "replace") != want or s["choice"] not in ("for", "against", "abstain") or for_it and not reason:
            bad(what + " is not what was signed, or is about another text than motion.txt")
        voted = any(v["member"] == s["member"] for v in d.get("votes") or [])
        if voted and not for_it:
            bad(what + " is by one who is said to be for it")
        if for_it and not voted:
            bad(what + " is why they are for it, and they have no vote")
        signed(what, text, sig, signers, s["member"], "sluice-ballot@" + city)


def decided(b):
    """Whether a vote holds, of each decision. A motion that is enacted at this moment has its files before decisions.json: what does not hold is read again."""
    global doubts
    for look in range(3):
        time.sleep(2 if look else 0)
        doubts, voted = [], {}
        for d in json.loads(optional(b["where"], "/books/decisions.json") or b"[]"):
            if d.get("statements"):
                statements(b, d)
            voted[d["id"]] = cast(b, d)
        if not doubts:
            break
    found, doubts = doubts, None
    for text in found:
        bad(text)
    return voted


def votes(all_books):
    """Numbers add up without a vote as well: who decided them is said beside that."""
    voted = {}
    for b in all_books:
        for id, holds in decided(b).items():
            voted[id] = holds or voted.get(id, False)
    unvoted = sorted(id for id, yes in voted.items() if not yes)
    if unvoted:
        say("no decision here has a vote: the policy is unsigned, and no council has decided these numbers" if len(unvoted) == len(voted)
            else f"without a vote: {', '.join(unvoted)}")
    if any(b["city"].get("simulation") for b in all_books):
        say("it is a simulation: nothing of it was measured in a street")


def main(named):
    global whose
    list = places(named)
    all_books = [check_books(where, len(list) > 1) for where in list]
    whose = ""
    cities = {(b["city"].get("id"), b["city"].get("timezone")) for b in all_books if b["city"].get("id")}
    if len(cities) > 1:
        bad(f"these are the books of {len(cities)} cities")
    check_names(all_books)
    compared = check_shown(all_books) if list[0].remote else 0
    files = check_files(all_books) if list[0].remote else 0
    here = {b["gateway"] for b in all_books} | {n for b in all_books for n in b["names"]}
    elsewhere = sorted({g for b in all_books for g in owners(b).values() if g} - here)
    if elsewhere:
        say(f"zones.geojson gives zones to {', '.join(elsewhere)} as well, whose books are not here")
    charters = {b["gateway"] or b["where"].books: b["city"]["charter"] for b in all_books if b["city"].get("charter")}
    if len(set(charters.values())) > 1:
        each = ", ".join(f"gateway {name} has {charter[:8]}" for name, charter in charters.items())
        say(f"the gateways' charters differ ({each}): one has not taken the last motion yet, or it was not for all")
    if len(all_books) > 1:
        print(f"{len(all_books)} gateways, each with books of its own")
    count = lambda what: sum(len(b[what]) for b in all_books)
    votes(all_books)
    if files:
        print(f"{files} closed months of the archive compared with the books")
    nothing = count("ledger") + count("releases") + compared == 0
    said = "something is wrong" if wrong else "nothing has been released yet, so there is nothing to compare" if nothing else "everything adds up"
    print(f"{count('ledger')} lines of budget, {count('releases')} windows, {compared} numbers compared: {said}")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(print(__doc__) or 2)
    try:
        sys.exit(main(sys.argv[1:]))
    except OSError as error:  # of the network and of files: nothing is said about the numbers
        say("it cannot be read:", error)
        sys.exit(4)

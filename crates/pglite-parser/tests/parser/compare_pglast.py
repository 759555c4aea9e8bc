#!/usr/bin/env python3
"""Compares our grammar with PostgreSQL's own (PyPI pglast) on the statements of its regression suite.

usage: compare_pglast.py [--mutate N] [--show N] PARSE_LINES FILE.sql ...

PARSE_LINES is the built example `parse_lines`. Statements are cut as psql cuts them; psql's commands are dropped and
its variables replaced. With --mutate, each statement is also tried N times with a token dropped, doubled, swapped
or replaced, which tests error positions far from what anyone wrote. Exit status 1 if acceptance differs anywhere.
"""
import argparse
import random
import re
import subprocess
import sys

from pglast import keywords
from pglast.parser import ParseError, parse_sql_json, scan

DOLLAR = re.compile(r'\$(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$')
VARIABLE = re.compile(r":(?:'(\w+)'|\"(\w+)\"|(?<!::)(\w+))")


def split(text):
    """The statements of a psql script."""
    stmts, start, i, depth, begin, copying = [], 0, 0, 0, 0, False
    words = []
    n = len(text)
    buf = []

    def flush():
        nonlocal buf, words, begin
        stmt = ''.join(buf)
        if stmt.strip():
            stmts.append(stmt)
        buf, words, begin = [], [], 0

    while i < n:
        c = text[i]
        if c == '-' and text.startswith('--', i):
            j = text.find('\n', i)
            j = n if j < 0 else j
            buf.append(text[i:j])
            i = j
        elif c == '/' and text.startswith('/*', i):
            j, level = i + 2, 1
            while j < n and level:
                if text.startswith('/*', j):
                    level, j = level + 1, j + 2
                elif text.startswith('*/', j):
                    level, j = level - 1, j + 2
                else:
                    j += 1
            buf.append(text[i:j])
            i = j
        elif c == "'":
            escape = i > 0 and text[i - 1] in 'eE' and (i < 2 or not (text[i - 2].isalnum() or text[i - 2] == '_'))
            j = i + 1
            while j < n:
                if escape and text[j] == '\\':
                    j += 2
                elif text[j] == "'":
                    if text.startswith("''", j):
                        j += 2
                    else:
                        break
                else:
                    j += 1
            buf.append(text[i:j + 1])
            i = j + 1
        elif c == '"':
            j = text.find('"', i + 1)
            j = n if j < 0 else j
            buf.append(text[i:j + 1])
            i = j + 1
        elif c == '$' and not (i > 0 and (text[i - 1].isalnum() or text[i - 1] == '_')):
            m = DOLLAR.match(text, i)
            if m:
                j = text.find(m.group(), m.end())
                j = n if j < 0 else j + len(m.group())
                buf.append(text[i:j])
                i = j
            else:
                buf.append(c)
                i += 1
        elif c == '\\':
            j = text.find('\n', i)
            j = n if j < 0 else j
            command = text[i:j]
            i = j
            if re.match(r'\\(g|gset|gexec|gx|gdesc|crosstabview|bind|bind_named|parse|sendpipeline|watch)\b', command) or command.startswith('\\;'):
                flush()
            elif re.match(r'\\r\b', command):
                buf, words, begin = [], [], 0
        elif c == ':' and VARIABLE.match(text, i) and not text.startswith('::', i) and text[i - 1:i] != ':' \
                and not (i > 0 and text[i - 1] in '[0123456789)]'):
            m = VARIABLE.match(text, i)
            buf.append("'v'" if m.group(1) else '"v"' if m.group(2) else '1')
            i = m.end()
        elif c.isalpha() or c == '_':
            j = i
            while j < n and (text[j].isalnum() or text[j] in '_$'):
                j += 1
            word = text[i:j].lower()
            if len(words) < 4:
                words.append(word)
            routine = words[:1] == ['create'] and any(w in ('function', 'procedure') for w in words[1:4])
            if routine and word == 'begin':
                begin += 1
            elif routine and begin and word == 'case':
                begin += 1
            elif begin and word == 'end':
                begin -= 1
            buf.append(text[i:j])
            i = j
        elif c in '([':
            depth += 1
            buf.append(c)
            i += 1
        elif c in ')]':
            depth = max(0, depth - 1)
            buf.append(c)
            i += 1
        elif c == ';' and depth == 0 and begin == 0:
            stmt = ''.join(buf)
            flush()
            i += 1
            if re.match(r'\s*copy\b.*\bfrom\s+stdin\b', re.sub(r'--.*', '', stmt), re.I | re.S):
                i = text.find('\n', i) + 1
                j = text.find('\n\\.\n', i - 1)
                i = n if j < 0 else j + 4
            depth = 0
        else:
            buf.append(c)
            i += 1
    flush()
    return stmts


def tokens_of(sql):
    try:
        return [(t.start, t.end + 1) for t in scan(sql)]
    except ParseError:
        return []


SPICE = ['(', ')', ',', ';', '.', '*', '=', '+', '::', 'select', 'from', 'where', 'not', 'null', 'as', 'on', 'in', 'is',
         'and', 'or', 'set', 'with', 'for', 'by', 'all', 'table', 'x', '1', "'s'", 'default', 'values', 'order', 'group',
         'limit', 'union', 'join', 'left', 'case', 'when', 'end', 'any', 'exists', 'array', '[', ']', 'row', 'only', 'to', 'using',
         'returning', 'if', 'cascade', 'between', 'like', 'similar', 'collate', 'at', 'time', 'zone', 'interval', 'over', 'filter',
         'partition', 'range', 'rows', 'operator', 'json', 'int', 'char', 'values (1)', 'cross', 'natural', 'lateral']


SPICE += [k.lower() for s in (keywords.COL_NAME_KEYWORDS, keywords.RESERVED_KEYWORDS, keywords.TYPE_FUNC_NAME_KEYWORDS,
                                keywords.UNRESERVED_KEYWORDS) for k in sorted(s)]


CHARS = list('\'"\\/*-+:.;019xXeEuUbBnNoO_&@#!~|<>=^%?`{}\n ') + ['--', '/*', '*/', "''", "e'", "U&'", 'U&"', "b'", "x'", "n'", '0x', '1e',
                                                              '..', '\\u00e9', '\\x41', '\\101', '\\ud83d\\ude00', '<=', '=>', ':=', '!=', '1_', '$$', 'é', '漢', '😀', "\\é", "E'\\漢", '$é$', 'U&"é', "'é"]


def mutations(sql, count, rng):
    toks = tokens_of(sql)
    if not toks or len(sql) > 3000:
        return
    raw = sql.encode()
    if len(raw) != len(sql):
        return
    for _ in range(count):
        i = rng.randrange(len(toks))
        a, b = toks[i]
        kind = rng.randrange(8)
        if kind == 0:
            yield sql[:a] + ' ' + sql[b:]
        elif kind == 1:
            yield sql[:b] + ' ' + sql[a:b] + ' ' + sql[b:]
        elif kind == 2 and i + 1 < len(toks):
            c, d = toks[i + 1]
            yield sql[:a] + sql[c:d] + ' ' + sql[a:b] + sql[d:]
        elif kind == 3:
            yield sql[:a] + ' ' + rng.choice(SPICE) + ' ' + sql[b:]
        elif kind == 4:
            yield sql[:a] + ' ' + rng.choice(SPICE) + ' ' + sql[a:]
        elif kind == 5:
            yield sql[:a]
        elif kind == 6:
            c = rng.randrange(len(sql) + 1)
            yield sql[:c] + rng.choice(CHARS) + sql[c:]
        else:
            c = rng.randrange(len(sql))
            yield sql[:c] + rng.choice(CHARS) + sql[c + 1:]


def theirs(sql):
    try:
        parse_sql_json(sql)
        return None, ''
    except ParseError as e:
        message = e.args[0]
        location = e.args[1] if len(e.args) > 1 else -1
        return (-1 if location is None else location), message


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--mutate', type=int, default=0)
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--show', type=int, default=20)
    ap.add_argument('parse_lines')
    ap.add_argument('files', nargs='+')
    args = ap.parse_args()
    rng = random.Random(args.seed)
    cases = []
    for f in args.files:
        for stmt in split(open(f, encoding='utf-8', errors='replace').read()):
            stmt = stmt.replace('\0', '')
            cases.append((f, stmt))
            if args.mutate:
                # pglast's scanner and grammar take parameters in places where PostgreSQL's do not
                cases.extend((f, m) for m in mutations(stmt, args.mutate, rng) if not re.search(r'\$\d', m))
    run = subprocess.run([args.parse_lines], input='\0'.join(s for _, s in cases).encode(), capture_output=True)
    if run.returncode:
        print(run.stderr.decode()[-2000:])
    lines = run.stdout.decode().split('\n')
    counts = dict(total=len(cases), accepted=0, wrongly_rejected=0, rejected=0, wrongly_accepted=0, position=0, message=0)
    shown = {}

    def show(kind, f, sql, detail):
        shown[kind] = shown.get(kind, 0) + 1
        if shown[kind] <= args.show:
            print(f'--- {kind} {f.rsplit("/", 1)[-1]}: {detail}\n{sql.strip()[:600]}')

    for (f, sql), line in zip(cases, lines):
        location, message = theirs(sql)
        ok = line.startswith('OK')
        if location is None and 'trailing junk after parameter' in line:
            continue  # a liberty of pglast's scanner; PostgreSQL's own rejects it
        if location is None:
            counts['accepted'] += 1
            if not ok:
                counts['wrongly_rejected'] += 1
                show('wrongly rejected', f, sql, line)
            continue
        counts['rejected'] += 1
        if ok:
            counts['wrongly_accepted'] += 1
            show('wrongly accepted', f, sql, f'{location} {message}')
            continue
        _, ours, _, text = line.split(' ', 3)
        chars = len(sql.encode()[:int(ours)].decode(errors='replace')) if int(ours) >= 0 else -1
        if message.endswith('at end of input') and chars == len(sql):
            chars = location  # pglast does not tell the position of the end
        if chars != location:
            counts['position'] += 1
            show('position', f, sql, f'theirs {location} {message} | ours {chars} {text}')
        elif text != message.replace('\n', '\\n'):
            counts['message'] += 1
            show('message', f, sql, f'theirs {message} | ours {text}')
    print(counts)
    rejected = counts['rejected'] or 1
    print('same position: %.2f %%' % (100 * (1 - (counts['position'] + counts['wrongly_accepted']) / rejected)))
    sys.exit(bool(counts['wrongly_rejected'] or counts['wrongly_accepted']))


if __name__ == "__main__":
    main()

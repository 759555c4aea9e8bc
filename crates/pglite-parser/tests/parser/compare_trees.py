#!/usr/bin/env python3
"""Compares our raw parse trees with those of PostgreSQL's own grammar (PyPI pglast), field by field.

usage: compare_trees.py [--show N] PARSE_LINES FILE.sql ...

Both trees are brought to one plain form: names without case and underscores, no defaults, wrappers removed. What is
deliberately shaped otherwise here is listed in `ours_only`, `theirs_only` and the functions below.
"""
import argparse
import collections
import json
import re
import subprocess
import sys

sys.path.insert(0, __file__.rsplit('/', 1)[0])
from compare_pglast import split  # noqa: E402
from pglast.parser import ParseError, parse_sql_json  # noqa: E402

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.[^\']*)\'|-?\d+|[A-Za-z_]\w*|[][(){},:]')
DEFAULTS = (None, False, 0, -1, '', [], {}, '\0')


def unescape(m):
    if m.group(2):
        return chr(int(m.group(2), 16))
    return {'n': '\n', 't': '\t', 'r': '\r', '0': '\0'}.get(m.group(1), m.group(1))


def parse_debug(text):
    """The value a Rust `{:?}` text shows."""
    toks = TOKEN.findall(text)
    pos = 0

    def value():
        nonlocal pos
        t = toks[pos]
        pos += 1
        if t == '[' or t == '(':
            close = ']' if t == '[' else ')'
            items = []
            while toks[pos] != close:
                items.append(value())
                if toks[pos] == ',':
                    pos += 1
            pos += 1
            return items
        if t[0] == '"':
            return re.sub(r'\\(u\{(\w+)\}|.)', unescape, t[1:-1])
        if t[0] == "'":
            return t[1:-1]
        if t.lstrip('-').isdigit():
            return int(t)
        nxt = toks[pos] if pos < len(toks) else ''
        if nxt == '{':
            pos += 1
            fields = {}
            while toks[pos] != '}':
                name = toks[pos]
                pos += 2
                fields[name] = value()
                if toks[pos] == ',':
                    pos += 1
            pos += 1
            return (t, fields)
        if nxt == '(':
            args = value()
            return ('=' + t, args)
        return {'true': True, 'false': False, 'None': None}.get(t, '=' + t)

    return value()


def norm(name):
    return name.replace('_', '').lower()


def tidy(kind, fields):
    out = {k: v for k, v in fields.items() if v not in DEFAULTS}
    return {'_t': kind, **out} if kind else out


SCALARS = {'Integer', 'Float', 'Boolean', 'String', 'BitString'}


def ours(v):
    """Our value in plain form."""
    if isinstance(v, list):
        return [ours(x) for x in v]
    if not isinstance(v, tuple):
        return v
    kind, body = v
    if kind[0] == '=':
        kind = kind[1:]
        if kind in ('Some', 'Expr', 'Name', 'Names', 'Set', 'WithArgs', 'TypeNames', 'Roles', 'Options', 'List') or kind in SCALARS:
            return ours(body[0])
        if len(body) == 1:
            inner = ours(body[0])
            return inner
        return [ours(x) for x in body]
    fields = {norm(k): ours(x) for k, x in body.items()}
    if kind == 'AConst':
        return tidy('aconst', {'val': fields.get('val'), 'location': fields.get('location')})
    return tidy(norm(kind), fields)


def theirs(v):
    """A value of pglast's JSON in plain form."""
    if isinstance(v, list):
        return [theirs(x) for x in v]
    if isinstance(v, str):
        return v
    if not isinstance(v, dict):
        return v
    if len(v) == 1:
        (kind, body), = v.items()
        if kind[0].isupper() and isinstance(body, dict):
            if kind in ('String', 'Integer', 'Float', 'Boolean', 'BitString'):
                return next(iter(body.values()), '' if kind == 'String' else False if kind == 'Boolean' else 0)
            if kind == 'A_Star':
                return '=Star'
            if kind == 'List':
                return [theirs(x) for x in body.get('items', [])]
            if kind == 'A_Const':
                val = None if body.get('isnull') else None
                for k in ('ival', 'fval', 'boolval', 'sval', 'bsval'):
                    if k in body:
                        val = next(iter(body[k].values()), {'ival': 0, 'boolval': False}.get(k, ''))
                return tidy('aconst', {'val': val, 'location': body.get('location')})
            return tidy(norm(kind), {norm(k): theirs(x) for k, x in body.items()})
    return tidy(None, {norm(k): theirs(x) for k, x in v.items()})


def same_enum(a, b):
    """`=Like` against `AEXPR_LIKE`, `=FuncParamIn` ..."""
    if not (isinstance(a, str) and a.startswith('=') and isinstance(b, str)):
        return False
    x, y = norm(a[1:]), norm(b)
    return x in y or x in y.replace('p', '')


def diff(a, b, path, out):
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            out.append((path + '#', a, b))
            return
        for x, y in zip(a, b):
            diff(x, y, path, out)
    elif isinstance(a, dict) and isinstance(b, dict):
        here = (b.get('_t') or a.get('_t') or path.rsplit('.', 1)[-1])
        if a.get('_t') and b.get('_t') and a['_t'] != b['_t']:
            out.append((f"{path}: {a['_t']} / {b['_t']}", a, b))
            return
        for k in {**a, **b}:
            if k == '_t' or (here, k) in IGNORE or ('*', k) in IGNORE:
                continue
            x, y = a.get(k), b.get(k)
            if x is None and isinstance(y, str) and re.fullmatch(r'[A-Z][A-Za-z_0-9]+', y):
                continue  # an enumerator that is the default here
            if y is None and isinstance(x, str) and x.startswith('='):
                continue
            diff(x, y, f'{here}.{k}', out)
    elif a != b and not same_enum(a, b) and str(a) != str(b):
        out.append((path, a, b))


# Shaped otherwise on purpose: fields of later stages, defaults that are not zero, lists that are structs here.
IGNORE = {('*', k) for k in (
    'rexprliststart', 'rexprlistend', 'liststart', 'listend', 'stmtlocation', 'stmtlen', 'len', 'arglocation',
    'conninfolocation', 'jumbleargs', 'msftype')}
IGNORE |= {tuple(k.split('.')) for k in """
    columndef.islocal constraint.fkmatchtype constraint.fkupdaction constraint.fkdelaction constraint.isenforced
    constraint.initiallyvalid rangefunction.functions indexelem.location objectwithargs.location definestmt.location
    variablesetstmt.location jsonoutput.format jsonoutput.returning jsontablecolumn.format jsonispredicate.format
    publicationobjspec.location createopclassitem.itemtype selectstmt.distinctclause definestmt.args currentofexpr.location
    variablesetstmt.modes variablesetstmt.args checkpointstmt.location createfunctionstmt.sqlbody deallocatestmt.isall
    defelem.arg objectwithargs.objargs""".split()}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--show', type=int, default=2)
    ap.add_argument('parse_lines')
    ap.add_argument('files', nargs='+')
    args = ap.parse_args()
    cases = [(f, s) for f in args.files for s in split(open(f, encoding='utf-8', errors='replace').read())
             if s.isascii()]
    run = subprocess.run([args.parse_lines, '--dump'], input='\0'.join(s for _, s in cases).encode(), capture_output=True)
    lines = run.stdout.decode().split('\n')
    kinds = collections.Counter()
    total = equal = 0
    shown = collections.Counter()
    for (f, sql), line in zip(cases, lines):
        if not line.startswith('OK '):
            continue
        try:
            tree = json.loads(parse_sql_json(sql))
        except ParseError:
            continue
        total += 1
        a = [ours(s)['stmt'] for s in parse_debug(line[3:])] if len(line) > 5 else []
        b = [theirs(s['stmt']) for s in tree.get('stmts', [])]
        out = []
        diff(a, b, 'stmts', out)
        equal += not out
        for path, x, y in out:
            kinds[path] += 1
            if shown[path] < args.show:
                shown[path] += 1
                print(f'--- {path} {f.rsplit("/", 1)[-1]}\n  ours   {str(x)[:300]}\n  theirs {str(y)[:300]}\n  {sql.strip()[:200]!r}')
    for path, n in kinds.most_common():
        print(f'{n:7} {path}')
    print(f'{equal} of {total} trees equal')


if __name__ == '__main__':
    main()

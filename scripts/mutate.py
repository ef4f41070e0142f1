#!/usr/bin/env python3
"""mutate.py [-v] [-n] [ROW...]: perturbs the table of ad.h, one place at a time, and counts how many perturbed rows the tests notice.

Every sign (a subexpression negated), every constant (negated, one more, off by 1e-9), every operand (another one in its place), and
every word (its opposite, or left out) of the formulas of every row, of the helpers of >>rules, and of the functions of several steps
in ad_simd.h (the templates special and gamma, their constants and coefficients) is one mutant. tests/mutate.c, the checks of one row,
is compiled with tcc and run against each: exit status 0 is a survivor. One that gives the bits of the original at 60,000 points a row, those
around every switch between formulas among them, and of which a rule below says why it is the same function (a sign inside an even function;
-v prints them) does not count. The others must be explained in docs/MUTANTS.md.
MUTATE_PART=2/8 runs the second of eight parts. Exit status 1: fewer than 99 % are killed, or a survivor is not explained."""
import os, re, subprocess, sys, tempfile, collections, functools
from concurrent.futures import ThreadPoolExecutor

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ad = open(os.path.join(root, 'ad.h')).read()
simd = open(os.path.join(root, 'ad_simd.h')).read()

SWAP = {'add': 'sub', 'sub': 'add', 'mul': 'div', 'div': 'mul', 'lt': 'le', 'le': 'lt', 'eq': 'ne', 'ne': 'eq', 'and': 'or', 'or': 'and',
        'max': 'min', 'min': 'max', 'floor': 'ceil', 'trunc': 'rint', 'rint': 'trunc', 'fma': 'fnma', 'fnma': 'fma', 'exp': 'expm1', 'log': 'log1p',
        'log1p': 'log', 'sin': 'cos', 'cos': 'sin', 'sinh': 'cosh', 'cosh': 'sinh', 'sinpi': 'cospi', 'cospi': 'sinpi'}
MASKS = {'lt', 'le', 'eq', 'ne', 'and', 'or', 'not', 'any', 'all', 'k', 'polynomial', '_polynomial', '_collect'}

def call(text, i, word):
    """the call of a word that begins at i: (name, its arguments as spans, end), or None"""
    m = word.match(text, i)
    if not m: return None
    depth, at, spans, j = 0, m.end(), [], m.end()
    while True:
        c = text[j]
        if c == '(': depth += 1
        elif c == ')':
            if depth == 0: break
            depth -= 1
        elif c == ',' and depth == 0:
            spans.append((at, j)); at = j + 1
        j += 1
    spans.append((at, j))
    return m.group(1), spans, j + 1

def mutants(text, begin, end, word, say, operands):
    """(start, stop, replacement) of every mutant of text[begin:end]"""
    for i in range(begin, end):
        c = call(text, i, word)
        if c and c[2] <= end and (i == 0 or text[i - 1] not in '_' and not text[i - 1].isalnum()):
            name, spans, stop = c
            whole, args = text[i:stop], [text[a:b] for a, b in spans]
            if name == 'k':
                v = args[0].strip()
                both = re.match(r'AD_C\((.*), (.*)\)$', v)
                if both: v = both.group(2)
                yield i, stop, say('k') + '(-(' + v + '))' if v not in ('0', '-0.0') else say('k') + '(-1)'
                yield i, stop, say('k') + '((' + v + ') + 1)'
                if not re.match(r'-?[0-9]$|.*INF|.*NAN', v): yield i, stop, say('k') + '((' + v + ') * (1 + 1e-9))'
                continue
            if name not in MASKS: yield i, stop, say('neg') + '(' + whole + ')'
            if name in SWAP: yield i, stop, say(SWAP[name]) + text[spans[0][0] - 1:stop]
            if name == 'select': yield i, stop, say('select') + '(' + args[0] + ',' + args[2] + ',' + args[1] + ')'
            if name in ('neg', 'abs', 'sqrt', 'square', 'recip', 'within', '_within', '_not_below', 'rint', 'trunc', 'floor', 'copysign') and len(args) <= 2: yield i, stop, args[0].strip()
            if name in ('number', 'only'): yield i, stop, args[1].strip()
            if name == 'not': yield i, stop, args[0].strip()
        m = re.compile(r'[a-z]\b').match(text, i)
        if m and m.group() in operands and text[i - 1] in '( ,' and text[m.end()] in '),;':
            for other in operands:
                if other != m.group(): yield i, m.end(), other
            yield i, m.end(), say('neg') + '(' + m.group() + ')'

EVEN = {'abs', 'square', 'hypot', 'cosh', 'cos', 'cospi', 'gauss', 'normal_pdf', 'sigmoid_slope', 'tanh_slope', 'sinc', 'sinc_curve', '_hypot',
        'one_minus_square', 'one_plus_square', 'versin', 'any', 'copysign', '_ndtr2_'}

SAME = [   # (row or function, what is replaced, by what; why)
  ('max|min|fmax|fmin|clamp|relu|smoothstep|xlogy|xlog1py', r'[xyz]', r'v', 'v is the operand that was chosen, or 0 where the operand is'),
  ('versin|logcosh|sinc_curve|gauss|normal_pdf|trigamma|pow_slope|hypot_share|erfcx|_tail', r'.*', r'neg\(.*|k\(-.*', 'what is squared has no sign'),
  ('sign|copysign|hypot_share', r'k\(.*\)', r'k\(-.*\)', 'copysign sets the sign'),
  ('hypot', r'[xy]', r'neg\([xy]\)', 'the share of x is even in y'),
  ('copysign|pow_slope|pow', r'mul\(.*', r'div\(.*', 'times and divided by 1 or -1, or by NaN, are the same'),
  ('pow|pow_slope', r'mul\(k\(AD__NAN\).*', r'neg.*', 'NaN has no sign that counts'),
  ('powi', r'rint\(y\)', r'(trunc\(y\)|y)', 'y is an integer where the value is a number; the derivative by y of the partial is open'),
  ('within|_erfcx_map|atan|acosh|tgamma|log_ndtr_slope', r'k\(.*', r'k\(.*', 'holds operands, or switches, where both sides are the same'),
  ('digamma|_shifted|_mish_parts|trigamma', r'l[te]\(.*', r'l[te]\(.*', 'the two formulas agree where they meet'),
  ('digamma|tetragamma|polygamma', r'floor\(.*', r'ceil\(.*', 'x is an integer where both are x'),
  ('erfcx', r'k\(0\)', r'k\(\(0\) \+ 1\)', 'only which lanes are looked at'),
  ('erfcx|logcosh', r'_within\(.*', r'x', 'held where the result has been infinite, or the other formula is taken'),
  ('_shifted', r'sub\(s, sub\(u, b\)\)', r'.*', 'the rounding error of a sum, which is 0 here'),
  ('_shifted|digamma', r'only\(m, .*', r'.*', 'lanes that are through are not looked at, one lane has none'),
  ('digamma', r'k\(1\.5\)', r'.*', 'stands for lanes that take the other formula'),
  ('_polynomial|sinc_third', r'k\(.*', r'k\(\(.* \(1 \+ 1e-9\)\)', 'the last coefficient, 1e-9 of which is below one rounding'),
  ('digamma|_ndtr2', r'k\(.*', r'k\(\(.* \(1 \+ 1e-9\)\)', 'the low part of a constant, 1e-9 of which is below one rounding'),
  ('zeta_tail|sinc_slope_fit|digamma_tail|polygamma_tail|tetragamma_tail|sinc_third_fit', r'-?0x.*', r'-\(.*', 'a last coefficient, below one rounding in the range of the series'),
  ('log_ndtr', r'_not_below\(.*', r'x', 'used for x above -1 only'),
  ('polygamma', r'k\(0\)', r'k\(.*', 'added to an infinite sum'),
  ('erfcx', r'_within\(only.*', r'only.*', 'held where the result has been infinite'),
  ('log_ndtr_slope', r'lt\(k\(0\), x\)', r'le.*', 'the two formulas agree where they meet'),
  ('polygamma', r'abs\(sum\)', r'sum', 'a sum of positive numbers'),
  ('erfcx_slope|erfcx_curve', r'abs\(x\)', r'x', 'used for x above 1/4 only'),
  ('erfcx_slope', r'add\(a, k\(0\.5\)\)', r'neg.*', 'what is squared has no sign'),
  ('logaddexp_share', r'abs\(r\)', r'.*', 'r is 0, small, or NaN: both see NaN'),
  ('smoothstep', r'k\(0\)', r'k\(-1\)', 'the other factor is 0 there'),
  ('copysign', r'y', r'v', 'v has the sign of y'),
  ('polygamma', r'mul\(n, k\(0\.5\)\)|n|k\(0\.5\)', r'neg.*|k\(-.*|k\(\(0\.5\) \+ 1\)', 'n/2 and 3n/2 are integers for the same n'),
  ('pow_slope|logaddexp_share|mish_gate_slope|pow|elu', r'[xyv]|_mish_parts.*', r'[xyv]|neg.*', 'tests for 0, infinity and equality: the same of both'),
]
def same_function(job):
    t = text_of(job)
    name, rest = t.split(': ', 1)
    old, new = re.match(r'`(.*)` -> `(.*)` after', rest).groups()
    return next((why for rows, a, b, why in SAME if re.fullmatch(rows, name) and re.fullmatch(a, old) and re.fullmatch(b, new)), None)

def equivalent(text, start, stop, new, word):
    """why a mutant that survived is the same function, or None: the calls around the place decide"""
    begin = text.rfind('ROW(N, D,', 0, start) if word is wordN else text.rfind(';', 0, start)
    begin = max(begin, start - 900)
    around = []                                                   # calls around the place, innermost first: (name, argument, its others)
    for i in range(start, begin, -1):
        c = call(text, i, word) if text[i] in 'NA' else None
        if c and c[2] >= stop and i < start:
            k = [k for k, (a, b) in enumerate(c[1]) if a <= start and stop <= b]
            if k: around.append((c[0], k[0], [text[a:b].strip() for a, b in c[1]]))
    old = text[start:stop]
    is_neg = re.match(r'(N##_neg|AD_W\(neg\))\(', new) is not None or re.match(r'(N##_neg|AD_W\(neg\)|N##_abs|AD_W\(abs\))\(', old) is not None or 'k)(-(' in new or '_k(-(' in new
    if re.search(r'AD__INF|AD__NAN', old) and re.match(r'(N##_k|AD_W\(k\))\(', old) and ('+ 1)' in new or '1e-9' in new or 'NAN' in old): return 'infinity and NaN stay what they are'
    if '-0.0' in old and '1e-9' in new: return 'zero times a number'
    if not around: return None
    name, k, args = around[0]
    zero = re.compile(r'(N##_k|AD_W\(k\))\(-?0(\.0)?\)$')
    if is_neg:
        for n, a, rest in around:                                 # a sign passes outwards through odd functions to an even one
            if n in EVEN and (n != 'copysign' or a == 0): return 'an even function does not see the sign'
            if n == 'number' and a == 0: return 'NaN has no sign that counts'
            if n in ('eq', 'ne') and (any(zero.match(r) for r in rest) or rest[0].replace('neg', '') == rest[1].replace('neg', '')): return '0 has no sign in a comparison'
            if n == 'mul' and any('AD__NAN' in r for r in rest): return 'NaN has no sign that counts'
            if n not in ('mul', 'div', 'neg', 'within', '_within', 'sinh', 'sin', 'sinpi', 'tanh', 'fma_', 'recip'): break
    if name == 'number' and k == 0: return 'both are NaN at the same places'
    if any(n in ('lt', 'le', 'gt', 'ge') for n, a, r in around[:2]) and '1e-9' in new: return 'the two formulas agree where they meet'
    if re.match(r'(N##_|AD_W\()l[te]\b', old) and not any(zero.match(r) for r in call(text, start, word)[1] and [text[a:b].strip() for a, b in call(text, start, word)[1]]):
        return 'the two formulas agree where they meet'
    if re.match(r'(N##_|AD_W\()l[te]\b', old): return 'the two formulas agree where they meet'
    if any(n in ('within', '_within', '_not_below') for n, a, r in around) or re.search(r'AD_W\(_(within|not_below)\)', text[start - 200:start].split('\n}')[-1]):
        return 'holds operands where the result has been 0, 1 or infinity for long'
    return None

jobs = []   # (file, start, stop, replacement, rows that judge it)
ARITY = {}
ROWS = [r for r in re.findall(r'^  ROW\(N, D, (\w+),', ad, re.M)]
wordN = re.compile(r'N##_(\w+)\(')
for kind, arity in (('UNARY', 1), ('BINARY', 2), ('TERNARY', 3)):
    for part in ('WORDS', 'COMPOSED'):
        a = ad.index('#define AD_%s_%s(' % (kind, part)); b = ad.index('\n\n', a)
        for m in re.finditer(r'ROW\(N, D, (\w+),', ad[a:b]):
            ARITY[m.group(1)] = arity
            c = call(ad, a + m.start(), re.compile(r'(ROW)\('))
            for k, (s, e) in enumerate(c[1][3:4 + arity]):
                if part == 'WORDS' and k == 0: continue          # the value is the word itself
                for s2, e2, r in mutants(ad, s, e, wordN, lambda w: 'N##_' + w, ['x', 'y', 'z'][:arity] + (['v'] if k else [])):
                    jobs.append(('ad.h', s2, e2, r, [m.group(1)]))
HELPER_ROWS = {'within': ['gauss', 'normal_pdf', 'silu_slope', 'gelu_slope', 'mish_slope'], 'share': ['max', 'min', 'fmax', 'fmin'],
               'number': ['log', 'atanh', 'div'], 'mish_gate_curve': ['mish_gate_slope', 'mish_slope', 'mish_gate'], 'sinc_third': ['sinc_curve']}
a = ad.index('#define AD__HELPERS(N)'); b = ad.index('#define AD__PARTIALS(N)')
for m in re.finditer(r'AD_INLINE N N##_(\w+)\(([^)]*)\) \{', ad[a:b]):
    end = ad.index('\n  AD', a + m.end()) if '\n  AD' in ad[a + m.end():b] else b
    names = [w.split()[-1] for w in m.group(2).split(',')]
    for s, e, r in mutants(ad, a + m.end(), end, wordN, lambda w: 'N##_' + w, [n for n in names if len(n) == 1 and n != 'c']):
        jobs.append(('ad.h', s, e, r, HELPER_ROWS[m.group(1)]))
# functions of several steps: judged by the rows that call them
wordW = re.compile(r'AD_W\((\w+)\)\(')
STEPS = {'_polynomial': ['erfcx', 'digamma', 'sinc_slope'], '_within': ['gauss', 'ndtr', 'erfcx'], '_not_below': ['softplus', 'silu', 'gelu'],
         '_ndtr2': ['ndtr', 'gelu', 'log_ndtr'], '_one_plus_squared': ['sigmoid_slope', 'tanh_slope'], '_tail': ['silu', 'mish', 'silu_slope', 'mish_slope'],
         '_mish_parts': ['mish_gate', 'mish_gate_slope', 'mish', 'mish_slope'], '_erfcx_map': ['erfcx', 'erfcx_slope', 'erfcx_curve'],
         '_shifted': ['trigamma', 'tetragamma']}
for tag in ('AD__SPECIAL', 'AD__GAMMA'):
    a = simd.index('#if defined(AD__TEMPLATE) && AD__TEMPLATE == %s\n' % tag); b = simd.index('#undef AD_N', a)
    for m in re.finditer(r'\nAD_+\w+ AD_N AD_W\((\w+)\)\(([^)]*)\) \{', simd[a:b]):
        end = simd.index('}\n', a + m.end())
        nested = simd[a + m.end():end].count('{') > 0 and simd[a + m.end():].find('\n}\n')
        if nested and nested > 0: end = a + m.end() + nested
        names = [w.split()[-1].lstrip('*') for w in m.group(2).split(',')]
        for s, e, r in mutants(simd, a + m.end(), end, wordW, lambda w: 'AD_W(%s)' % w, [n for n in names if len(n) == 1 and n != 'n' or n == 'n' and m.group(1) == 'polygamma']):
            jobs.append(('ad_simd.h', s, e, r, STEPS.get(m.group(1), [m.group(1)])))
FITS = {'erfcx_fit': ['erfcx'], 'erfcx_slope_fit': ['erfcx_slope'], 'erfcx_curve_fit': ['erfcx_curve'], 'digamma_fit': ['digamma'], 'digamma_tail': ['digamma'],
        'polygamma_tail': ['trigamma'], 'tetragamma_tail': ['tetragamma'], 'zeta_tail': ['polygamma'], 'sinc_slope_fit': ['sinc_slope'], 'sinc_third_fit': ['sinc_curve'], 'sinc_curve_fit': ['sinc_curve']}
for name, rows in FITS.items():
    a = simd.index('ad__%s[' % name); b = simd.index('};', a)
    for m in re.finditer(r'-?0x[0-9a-f.]+p[-+0-9]+', simd[a:b]):
        jobs.append(('ad_simd.h', a + m.start(), a + m.end(), '-(%s)' % m.group(), rows))

only = [a for a in sys.argv[1:] if not a.startswith('-')]
if only: jobs = [j for j in jobs if set(j[4]) & set(only)]
part, parts = (int(n) for n in os.environ.get('MUTATE_PART', '1/1').split('/'))
jobs = jobs[part - 1::parts]
if '-n' in sys.argv: sys.exit('%d mutants' % len(jobs))
explained = open(os.path.join(root, 'docs/MUTANTS.md')).read() if os.path.exists(os.path.join(root, 'docs/MUTANTS.md')) else ''

def text_of(job):
    f, s, e, r, rows = job
    t = ad if f == 'ad.h' else simd
    squeeze = lambda x: re.sub(r'N##_|AD_W\((\w+)\)', lambda m: m.group(1) or '', re.sub(r'\\?\s+', ' ', x)).strip()
    # rows and functions by name, the place by what stands before it
    head = t[:s]
    m = list(re.finditer(r'ROW\(N, D, (\w+),|(?:AD_N AD_W\(|N N##_|const double ad__)(\w+)[\[)(]', head))[-1]
    return '%s: `%s` -> `%s` after `%s`' % (m.group(1) or m.group(2), squeeze(t[s:e]), squeeze(r), squeeze(head[-30:].split('\n')[-1])[-16:])

def run(job):
    f, s, e, r, rows = job
    with tempfile.TemporaryDirectory(dir=os.environ.get('TMPDIR', '/tmp')) as d:
        for name, t in (('ad.h', ad), ('ad_simd.h', simd)):
            if f == name: open(os.path.join(d, name), 'w').write(t[:s] + r + t[e:])
            else: os.symlink(os.path.join(root, name), os.path.join(d, name))
        # first what the rows mean, then their stored bits
        for kind in ('killed', 'bits'):
            for row in rows:
                flags = ['-DAD_NO_SLEEF'] if kind == 'killed' else ['-D__FMA__', '-DFP_FAST_FMA', '-DFP_FAST_FMAF', '-DAD__SLEEF', '-DAD_SIMD=1',
                                                                    '-DMUTATE_NAME=' + row, '-DMUTATE_ARITY=%d' % ARITY[row], '-lsleef']
                try:
                    p = subprocess.run(['tcc', '-w', '-I' + d, '-I' + os.path.join(root, 'tests'), '-DMUTATE_ROW=AD_OP_' + row] + flags +
                                       ['-lm', '-run', os.path.join(root, 'tests/mutate.c')], capture_output=True, timeout=20, text=True)
                    if p.returncode: return ('compile' if 'error:' in p.stderr else kind)
                except subprocess.TimeoutExpired: return kind
        # the same function, as far as 60,000 points tell?
        for row in rows:
            if prints(d, row) != original(row): return 'survived'
    return 'same'

def prints(where, row):                  # None: no output, which is the same as nothing
    try:
        p = subprocess.run(['tcc', '-w', '-I' + where, '-I' + os.path.join(root, 'tests'), '-DMUTATE_ROW=AD_OP_' + row, '-DMUTATE_SAME', '-DAD_NO_SLEEF',
                            '-lm', '-run', os.path.join(root, 'tests/mutate.c')], capture_output=True, timeout=60, text=True)
    except subprocess.TimeoutExpired: return None
    return p.stdout if p.returncode == 0 and p.stdout else None
@functools.lru_cache(None)
def original(row): return prints(root, row) or sys.exit('tests/mutate.c prints nothing for ' + row)

count, alive, same = collections.Counter(), [], collections.Counter()
with ThreadPoolExecutor(int(os.environ.get('MUTATE_JOBS', os.cpu_count() or 1))) as pool:
    for job, result in zip(jobs, pool.map(run, jobs)):
        count[result] += 1
        why = result == 'same' and (equivalent(ad if job[0] == 'ad.h' else simd, job[1], job[2], job[3], wordN if job[0] == 'ad.h' else wordW) or same_function(job))
        if why: same[why] += 1
        if why and '-v' in sys.argv: print('%s: %s' % (why, text_of(job)))
        if result == 'survived' or (result == 'same' and not why): alive.append((result, text_of(job)))
killed = count['killed'] + count['bits']
total = killed + count['survived']
unexplained = [t for r, t in alive if '`' + t.split('`', 1)[1] not in explained]
for r, t in alive: print('%s%s: %s' % ('NOT EXPLAINED ' if t in unexplained else '', r, t))
for why, n in same.most_common(): print('%4d are the same function: %s' % (n, why))
print('%d mutants of %d rows: %d killed by what the row means, %d more by its stored bits, %d survived: %.2f %% killed; besides %d are the same function, %d do not compile' %
      (total, len(ROWS), count['killed'], count['bits'], count['survived'], 100 * killed / max(total, 1), count['same'], count['compile']))
sys.exit(killed < 0.99 * total or len(unexplained) > 0)

# Reads the JSON of a Google Benchmark program with repetitions and prints a table of the medians: a row per WORK, a column per
# VARIANT of the names WORK/VARIANT, each with its ratio to the first variant (how many times as fast) and, where the counter
# limit_percent is there, what part of the machine's limit it reaches. Writes the ratios to the file `data` for the plot.
function text(line) { sub(/^[^:]*: *"/, "", line); sub(/",? *$/, "", line); return line }
function number(line) { sub(/^[^:]*: */, "", line); sub(/,? *$/, "", line); return line + 0 }
function digits(x, unit) { return sprintf(x < 10 ? "%.2f" unit : x < 100 ? "%.1f" unit : "%.0f" unit, x) }
function show(x) { return x < 1e4 ? digits(x, " ns") : x < 1e7 ? digits(x / 1e3, " us") : digits(x / 1e6, " ms") }
function left(s, n) { return sprintf("%-" n "s", s) }
/"family_index":/ { family = number($0) }
/"per_family_instance_index":/ { instance = number($0) }
/"run_name":/ { name = text($0) }
/"aggregate_name":/ { aggregate = text($0) }
/"cpu_time":/ { time = number($0) }
/"time_unit":/ { unit = text($0); time *= unit == "us" ? 1e3 : unit == "ms" ? 1e6 : unit == "s" ? 1e9 : 1 }
/"flops":/ { flops = number($0) }
/"bytes":/ { bytes = number($0) }
/"limit_percent":/ { limit = number($0) }
/"error_message":/ { error[name] = text($0) }
/^ *}/ {
  if (aggregate == "median" && !(name in error)) {
    sub(/\/repeats:[0-9]+$/, "", name)
    key[++count] = family * 1000 + instance
    names[count] = name; times[count] = time
    limits[count] = limit
    rates[count] = flops ? digits(flops / 1e9, " GFLOP/s") : bytes ? digits(bytes / 1e9, " GB/s") : ""
  }
  aggregate = ""; time = flops = bytes = limit = 0
}
END {
  # programs register their benchmarks in the order of the table; they ran in a random one
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && key[j - 1] > key[j]; j--) {
      t = key[j]; key[j] = key[j - 1]; key[j - 1] = t
      t = names[j]; names[j] = names[j - 1]; names[j - 1] = t
      t = times[j]; times[j] = times[j - 1]; times[j - 1] = t
      t = rates[j]; rates[j] = rates[j - 1]; rates[j - 1] = t
      t = limits[j]; limits[j] = limits[j - 1]; limits[j - 1] = t
    }
  for (i = 1; i <= count; i++) {
    at = match(names[i], /\/[^\/]*$/)
    work = at ? substr(names[i], 1, at - 1) : names[i]
    variant = at ? substr(names[i], at + 1) : "time"
    if (!(work in variants)) order[++works] = work
    variants[work] = variants[work] "/" variant
    ns[work, variant] = times[i]
    rate[work] = rates[i]
    part[work, variant] = limits[i]
    if (limits[i]) with_limits = 1
    if (length(work) > wide) wide = length(work)
  }
  printf "" > data
  for (i = 1; i <= works; i++) {
    work = order[i]
    n = split(substr(variants[work], 2), v, "/")
    if (variants[work] != last || bars == 64) {
      again = variants[work] == last
      last = variants[work]
      bars = 0
      head = left("", wide)
      titles = (plotted++ ? "\n\n" : "") "work"
      for (j = 1; j <= n; j++) { head = head sprintf("%" (with_limits ? 26 : 20) "s", v[j]); titles = titles " " v[j] }
      if (!again) print head
      if (n > 1) print titles > data
    }
    row = left(work, wide)
    ratios = work
    for (j = 1; j <= n; j++) {
      ratio = ns[work, v[j]] > 0 ? ns[work, v[1]] / ns[work, v[j]] : 0
      row = row sprintf("%12s %7s", show(ns[work, v[j]]), j > 1 ? digits(ratio, "x") : "")
      if (with_limits) row = row sprintf(" %5s", part[work, v[j]] ? sprintf("%.0f %%", part[work, v[j]]) : "")
      ratios = ratios " " ratio
    }
    print row "  " rate[work]
    bars++
    if (n > 1) print "\"" work "\"" substr(ratios, length(work) + 1) > data
  }
  for (name in error) print "error: " name ": " error[name]
}

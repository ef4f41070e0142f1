# ad is two headers: nothing is built to use it. These targets build examples, tests and benchmarks; all output goes to build/.
# Variables: CC, CXX, PREFIX; AD_NO_SLEEF=1 leaves SLEEF out; AD_DATA is the folder of data; V=1 prints commands.
# A part of the tests: make test BACKENDS='scalar avx2' TESTS=tests/test_lanes.c CHECKS=
# A part of the benchmarks: make bench BENCHES=bench/bench_arrays.cc BENCH_FILTER='sum|gemm, 512'    (BENCH_TIME: scripts/bench.sh)

PREFIX ?= /usr/local
AD_DATA ?= ../shared/data
PEER_INCLUDES = $(patsubst %,-isystem /usr/include/%,eigen3 trilinos torch/csrc/api/include)
export CC CXX AD_NO_SLEEF AD_DATA PEER_INCLUDES

B = build
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion
CSTD = -std=c11 -D_GNU_SOURCE -Wstrict-prototypes
CXXSTD = -std=c++17 -D_GNU_SOURCE
# the level of the tests: empty is -O1 on the best backend of this processor; on the others -Og with words not forced inline (a third of the time)
OPT =
LIGHT = -Og "-DAD_INLINE=static inline __attribute__((unused))"
Q = $(if $(V),,@)
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))
SUB = $(MAKE) --no-print-directory

TESTS = $(wildcard tests/test_*.c tests/test_*.cc)
CHECKS = $(wildcard tests/check_*.sh)
EXAMPLES = $(wildcard examples/[0-9]*.c)
BENCHES = $(wildcard bench/bench_*.cc)
stems = $(notdir $(basename $(1)))
libs_of = $(shell sed -n 's/.*LIBS: *\(-l[a-z0-9_ -]*[a-z0-9]\).*/\1/p' $(1))   # what a file links beyond SLEEF and libm: LIBS: -lz

help: ## prints this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-15s%s\n", $$1, $$2}' Makefile

# What this machine has, as make variables; a goal that needs packages installs those that are missing first.
ifeq ($(AD_CONFIGURED)$(MAKE_RESTARTS),)
NEED = $(filter demo test bench,$(MAKECMDGOALS))
$(B)/config.mk: FORCE
	@$(if $(NEED),scripts/deps.sh $(NEED) &&) scripts/configure.sh $@ $(NEED)
else
$(B)/config.mk: ;
endif
ifneq ($(filter-out help deps clean,$(MAKECMDGOALS)),)
export AD_CONFIGURED = 1
include $(B)/config.mk
endif

deps: ## installs with apt what demo, test and bench need and this machine lacks; says what to install where it cannot
	@scripts/deps.sh demo test bench

demo: $(EXAMPLES:examples/%.c=$(B)/examples/%) ## builds the examples and runs the main job on real input
	@scripts/demo.sh $^

test: ## runs every test on every backend that this machine can run; the last line sums up
	@rm -rf $(B)/logs
	@$(SUB) -k -Otarget $(JOBS) $(LOGS) || true
	@scripts/summary.sh $(LOGS)

test-sanitize: ## runs the tests under ASan and UBSan, those with threads under TSan, functions with OpenMP
	@scripts/sanitize.sh "$(SUB)"

test-matrix: ## runs the tests under every compiler, standard, optimisation and architecture that is installed
	@scripts/matrix.sh "$(SUB)"

coverage: ## measures which lines and branches of the headers the tests run
	@scripts/coverage.sh "$(SUB)"

analyze: ## runs cppcheck, gcc -fanalyzer and clang-tidy over the headers
	@scripts/analyze.sh

fuzz: ## runs the fuzz programs under clang's libFuzzer, FUZZ_TIME seconds each (60)
	@scripts/fuzz.sh

accuracy: $(patsubst tests/%.c,$(B)/native/%,$(wildcard tests/accuracy_*.c)) ## measures errors against MPFR: docs/ACCURACY.md (ACCURACY_POINTS, DAG_GRAPHS, F32_STEP)
	@scripts/accuracy.sh $^

mutate: ## perturbs every formula of the table, one place at a time, and counts what the tests notice (ROWS, MUTATE_JOBS)
	@command -v tcc >/dev/null && command -v python3 >/dev/null || { echo "mutate needs tcc and python3" && exit 1; }
	@scripts/mutate.py $(ROWS)

test-bits: ## compares the bits of 1e6 outputs of every row on scalar with fma, AVX2, AVX-512 and NEON (BITS_POINTS)
	@scripts/bits.sh "$(SUB)"

docs: ## writes docs/OPERATIONS.md and docs/REFERENCE.md from the headers
	@scripts/docs.sh

bench: $(patsubst bench/%.cc,$(B)/bench/%,$(BENCHES)) ## measures SIMD against scalar, derivatives against functions: tables and pictures
	@scripts/bench.sh $^

bench-peers: ## measures against the libraries of others that are installed; says which are missing
	@for f in $(wildcard bench/peers_*.cc); do scripts/have-peer.sh $$f && set -- "$$@" $(B)/bench/$$(basename $$f .cc); done; \
	  [ $$# = 0 ] || { $(SUB) $(JOBS) "$$@" && scripts/bench.sh "$$@"; }

clean: ## removes build/
	rm -rf build

install: ## copies the headers to PREFIX/include and ad.pc to PREFIX/lib/pkgconfig
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 ad.h ad_simd.h $(DESTDIR)$(PREFIX)/include
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBS@|$(LIBS)|' -e "s|@VERSION@|$$(sed -n '1s/.* v\([0-9.]*\) .*/\1/p' ad.h)|" \
	  scripts/ad.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/ad.pc

# One test file is one program per backend. The implementation part of ad.h is compiled once per backend, for the tests that include
# ad.h and do not define AD_IMPLEMENTATION themselves.
CALLERS := $(filter-out $(shell grep -l 'define AD_IMPLEMENTATION' $(TESTS)),$(shell grep -l '"ad.h"' $(TESTS)))
define BACKEND
$(B)/$(1)/implementation.o: tests/implementation.c $(B)/config.mk
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $$(CSTD) $$(WARN) $$(or $$(OPT),$$(OPT_$(1)),$$(LIGHT)) $$(FLAGS_$(1)) -MMD -MP -I. -c $$< -o $$@
$(addprefix $(B)/$(1)/,$(call stems,$(if $(CXX_$(1)),$(CALLERS),$(filter %.c,$(CALLERS))))): $(B)/$(1)/implementation.o
$(B)/$(1)/%: tests/%.c $(B)/config.mk
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $$(CSTD) $$(WARN) $$(or $$(OPT),$$(OPT_$(1)),$$(LIGHT)) $$(FLAGS_$(1)) -MMD -MP -I. $$< $$(filter %.o,$$^) -o $$@ $$(call libs_of,$$<) -lcmocka $$(LIBS_$(1))
$(B)/$(1)/%: tests/%.cc $(B)/config.mk
	@mkdir -p $$(@D)
	$$(Q)$$(CXX_$(1)) $$(CXXSTD) $$(WARN) $$(or $$(OPT),$$(OPT_$(1)),$$(LIGHT)) $$(FLAGS_$(1)) -MMD -MP -I. $$< $$(filter %.o,$$^) -o $$@ $$(call libs_of,$$<) -lcmocka $$(LIBS_$(1))
$(B)/logs/$(1)/%.log: $(B)/$(1)/% FORCE
	@scripts/run.sh $$@ $$(RUN_$(1)) $$<
LOGS += $$(patsubst %,$(B)/logs/$(1)/%.log,$$(call stems,$$(if $$(CXX_$(1)),$$(TESTS),$$(filter %.c,$$(TESTS)))))
endef
$(foreach b,$(BACKENDS),$(eval $(call BACKEND,$(b))))

$(B)/logs/%.log: tests/%.sh FORCE
	@scripts/run.sh $@ $<
LOGS += $(patsubst %,$(B)/logs/%.log,$(call stems,$(CHECKS)))

# Programs for this machine's processor.
NATIVE = $(Q)mkdir -p $(@D) && $(CC) $(CSTD) $(WARN) -O2 $(FLAGS_native) -MMD -MP -I. $< $(filter %.o,$^) -o $@ $(call libs_of,$<) $(LIBS)
$(B)/examples/%: examples/%.c $(B)/config.mk
	$(NATIVE)
$(B)/native/%: tests/%.c $(B)/config.mk
	$(NATIVE)

# C written by ad_function_write_c, when it is built: for an example, and for the benchmark of functions.
W = $(B)/written
$(W)/residual.c: $(B)/examples/write_residual
	$(Q)mkdir -p $(@D) && $< $@
$(W)/residual.o: $(W)/residual.c
	$(Q)$(CC) $(CSTD) $(WARN) -O3 $(FLAGS_native) -I. -c $< -o $@
$(B)/examples/09_written: $(W)/residual.o

# Kernels for benchmarks: one object per variant (bench/bench.h says more).
define VARIANT
$(B)/bench/$(1)/%.o: bench/%.c $(B)/config.mk
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CSTD) $$(WARN) -O3 $$(BENCH_FLAGS_$(1)) -DBENCH_VARIANT=$(1) -MMD -MP -I. -Ibench -I$(W) -c $$< -o $$@
endef
$(foreach v,$(BENCH_VARIANTS),$(eval $(call VARIANT,$(v))))
$(BENCH_VARIANTS:%=$(B)/bench/%/kernels_function.o): $(W)/residual.c
kernels_of = $(foreach v,$(BENCH_VARIANTS),$(patsubst bench/%.c,$(B)/bench/$(v)/%.o,$(wildcard bench/kernels_$(subst bench_,,$(subst peers_,,$(1))).c)))
.SECONDEXPANSION:
$(B)/bench/%: bench/%.cc $$(call kernels_of,$$*) $(B)/config.mk
	@mkdir -p $(@D)
	$(Q)$(CXX) $(CXXSTD) $(WARN) -O3 $(FLAGS_native) '-DBENCH_VARIANTS(M)=$(foreach v,$(BENCH_VARIANTS),M($(v)))' -MMD -MP -I. -Ibench \
	  $(PEER_INCLUDES) $< $(filter %.o,$^) -o $@ $(call libs_of,$<) -lbenchmark -lpthread $(LIBS)

.PHONY: help deps demo test test-sanitize test-matrix coverage analyze fuzz accuracy docs bench bench-peers clean install FORCE
.SECONDARY:
-include $(wildcard $(B)/*/*.d $(B)/bench/*/*.d)

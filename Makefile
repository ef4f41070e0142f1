# ad is two headers: nothing is built to use it. These targets build examples, tests and benchmarks; all output goes to build/.
# Variables: CC, CXX, PREFIX; AD_NO_SLEEF=1 leaves SLEEF out; AD_DATA is the folder of data; V=1 prints commands.
# A part of the tests: make test BACKENDS='scalar avx2' TESTS=tests/test_lanes.c CHECKS=

SHELL = /bin/sh
PREFIX ?= /usr/local
AD_DATA ?= ../shared/data
export CC CXX AD_NO_SLEEF AD_DATA

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion
CSTD = -std=c11 -D_GNU_SOURCE -Wstrict-prototypes
CXXSTD = -std=c++17
OPT = -O1 -g
Q = $(if $(V),,@)
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))

TESTS = $(wildcard tests/test_*.c tests/test_*.cc)
CHECKS = $(wildcard tests/check_*.sh)
EXAMPLES = $(wildcard examples/[0-9]*.c)

help: ## prints this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-15s%s\n", $$1, $$2}' Makefile

# What this machine has, as make variables; a goal that needs packages installs those that are missing first.
ifndef AD_CONFIGURED
NEED = $(filter demo test bench,$(MAKECMDGOALS))
build/config.mk: FORCE
	@$(if $(NEED),scripts/deps.sh $(NEED) &&) scripts/configure.sh $@ $(NEED)
else
build/config.mk: ;
endif
ifneq ($(filter-out help deps clean,$(MAKECMDGOALS)),)
export AD_CONFIGURED = 1
include build/config.mk
endif

deps: ## installs with apt what demo, test and bench need and this machine lacks; says what to install where it cannot
	@scripts/deps.sh demo test bench

demo: $(EXAMPLES:examples/%.c=build/examples/%) ## builds the examples and runs the main job on real input
	@scripts/demo.sh $^

test: ## runs every test on every backend that this machine can run; the last line sums up
	@rm -rf build/logs
	@$(MAKE) --no-print-directory -k -Otarget $(JOBS) $(LOGS) || true
	@scripts/summary.sh $(LOGS)

bench: $(patsubst bench/%.cc,build/bench/%,$(wildcard bench/bench_*.cc)) ## measures SIMD against scalar, derivatives against functions: tables and pictures
	@scripts/bench.sh $^

bench-peers: ## measures against the libraries of others that are installed; says which are missing
	@for f in $(wildcard bench/peers_*.cc); do scripts/have-peer.sh $$f && set -- "$$@" build/bench/$$(basename $$f .cc); done; \
	  [ $$# = 0 ] || { $(MAKE) --no-print-directory $(JOBS) "$$@" && scripts/bench.sh "$$@"; }

clean: ## removes build/
	rm -rf build

install: ## copies the headers to PREFIX/include and ad.pc to PREFIX/lib/pkgconfig
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 ad.h ad_simd.h $(DESTDIR)$(PREFIX)/include
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBS@|$(LIBS)|' -e "s|@VERSION@|$$(sed -n '1s/.* v\([0-9.]*\) .*/\1/p' ad.h)|" \
	  scripts/ad.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/ad.pc

# One test file is one program per backend; what it links beyond SLEEF and libm it says itself in a line  LIBS: -lz
libs_of = $(shell sed -n 's/.*LIBS: *\(-l[a-z -]*[a-z]\).*/\1/p' $(1))
stems = $(notdir $(basename $(1)))
define BACKEND
build/$(1)/%: tests/%.c build/config.mk
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $$(CSTD) $$(WARN) $$(OPT) $$(FLAGS_$(1)) -MMD -MP -I. $$< -o $$@ $$(call libs_of,$$<) -lcmocka $$(LIBS_$(1))
build/$(1)/%: tests/%.cc build/config.mk
	@mkdir -p $$(@D)
	$$(Q)$$(CXX_$(1)) $$(CXXSTD) $$(WARN) $$(OPT) $$(FLAGS_$(1)) -MMD -MP -I. $$< -o $$@ $$(call libs_of,$$<) -lcmocka $$(LIBS_$(1))
build/logs/$(1)/%.log: build/$(1)/% FORCE
	@scripts/run.sh $$@ $$(RUN_$(1)) $$<
LOGS += $$(patsubst %,build/logs/$(1)/%.log,$$(call stems,$$(if $$(CXX_$(1)),$$(TESTS),$$(filter %.c,$$(TESTS)))))
endef
$(foreach b,$(BACKENDS),$(eval $(call BACKEND,$(b))))

build/logs/%.log: tests/%.sh FORCE
	@scripts/run.sh $@ $<
LOGS += $(patsubst %,build/logs/%.log,$(call stems,$(CHECKS)))

build/examples/%: examples/%.c build/config.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(WARN) -O2 $(FLAGS_native) -MMD -MP -I. $< -o $@ $(call libs_of,$<) $(LIBS)

# Kernels for benchmarks: one object per variant (bench/bench.h says more)
define VARIANT
build/bench/$(1)/%.o: bench/%.c build/config.mk
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CSTD) $$(WARN) -O3 $$(BENCH_FLAGS_$(1)) -DBENCH_VARIANT=$(1) -MMD -MP -I. -Ibench -c $$< -o $$@
endef
$(foreach v,$(BENCH_VARIANTS),$(eval $(call VARIANT,$(v))))
kernels_of = $(foreach v,$(BENCH_VARIANTS),$(patsubst bench/%.c,build/bench/$(v)/%.o,$(wildcard bench/$(patsubst bench_%,kernels_%,$(patsubst peers_%,kernels_%,$(1))).c)))
.SECONDEXPANSION:
build/bench/%: bench/%.cc $$(call kernels_of,$$*) build/config.mk
	@mkdir -p $(@D)
	$(Q)$(CXX) $(CXXSTD) $(WARN) -O3 $(FLAGS_native) '-DBENCH_VARIANTS(M)=$(foreach v,$(BENCH_VARIANTS),M($(v)))' -MMD -MP -I. -Ibench \
	  $< $(filter %.o,$^) -o $@ $(call libs_of,$<) -lbenchmark -lpthread $(LIBS)

.PHONY: help deps demo test bench bench-peers clean install FORCE
.SECONDARY:
-include $(wildcard build/*/*.d build/bench/*/*.d)

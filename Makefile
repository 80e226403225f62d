# Makefile -- builds, tests and installs l2tpns.  `make help` lists what it can do.
#
# Quiet unless V=1.  Everything made goes below $(B).  A folder under tests/ may bring
# its own rules.mk, which adds to the lists marked "rules.mk adds" below.

B	 := build
PREFIX	 := /usr/local
SBINDIR	 := $(PREFIX)/sbin
MANDIR	 := $(PREFIX)/share/man
UNITDIR	 := /etc/systemd/system
CONFDIR	 := /etc/l2tpns
DESTDIR	 :=
T	 := 60
NPROC	 := $(shell nproc)
VERSION	 := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# Debian 12 packages: to build; to run the demo as well; to test and measure as well.  The only list.
DEPS_BUILD := gcc libc6-dev pkg-config nettle-dev liburcu-dev libev-dev libjansson-dev libcli-dev \
	libnl-3-dev libnl-route-3-dev libsystemd-dev libcap-dev libcrypt-dev
DEPS_DEMO := $(DEPS_BUILD) iproute2 iputils-ping iperf3 procps util-linux jq
DEPS_TEST := $(DEPS_DEMO) clang llvm lld libclang-rt-14-dev libcmocka-dev libbpf-dev bpftool clang-format \
	gawk groff-base tcpdump tshark kmod busybox-static user-mode-linux xl2tpd ppp l2tpns \
	ethtool python3 faketime

ifeq ($(origin CC),default)
CC	 := gcc
endif
CLANG	 := clang
OPT	 := -O2
WERROR	 := -Werror
SAN	 :=
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla $(WERROR)
HARDEN	 := $(if $(SAN),,-fstack-protector-strong -D_FORTIFY_SOURCE=2)
PKGS	 := nettle liburcu-qsbr jansson libnl-3.0 libnl-route-3.0 libsystemd libcap
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS) 2>/dev/null))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS) 2>/dev/null))$(PKG_LIBS)
CPPFLAGS = -I. -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(PKG_CFLAGS)
CSTD	 := -std=gnu11 -g
CFLAGS	 = $(CSTD) $(OPT) $(WARNINGS) $(HARDEN) $(SAN)
LDFLAGS	 = $(SAN) -Wl,--as-needed -Wl,-z,relro,-z,now
LIBS	 = $(PKG_LIBS) -lev -lcli -lcrypt -lpthread
PURE_LIBS := -lnettle

# The pure rooms: one archive, so that the daemon and every test run the same objects.
# tests/tidy/pure.sh holds each of them to its word; what may call the kernel is named here.
# The archive is a thin one: two rooms may have a file of the same name.
IMPURE	 := l2tpns/plane/user%.c l2tpns/plane/xdp%.c cluster/io%.c
ROOMS	 := $(wildcard $(addprefix l2tpns/,base/*.c wire/*.c core/*.c plane/*.c config/*.c cli/*.c) cluster/*.c)
PURE_SRC := $(filter-out $(IMPURE),$(ROOMS))
IO_SRC	 := $(filter $(IMPURE),$(ROOMS)) $(wildcard l2tpns/io/*.c)
SHELL_SRC := $(wildcard l2tpns/shell*.c l2tpns/main.c)
NSCTL_SRC := $(wildcard nsctl/*.c)
UNIT	 := $(basename $(notdir $(wildcard tests/unit/test_*.c)))
FUZZ	 := $(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c)))
TIDY	 := $(filter-out tests/tidy/lib.sh,$(wildcard tests/tidy/*.sh))

objs	 = $(patsubst %.c,$(B)/obj/%.o,$(1))
fuzzobjs = $(patsubst %.c,$(B)/fuzz/obj/%.o,$(1))
PURE_A	 := $(B)/libpure.a
IO_A	 := $(B)/libio.a
PROGRAMS := $(B)/l2tpns $(B)/nsctl
MANUALS	 := $(patsubst etc/man/%,$(B)/man/%,$(wildcard etc/man/*.[0-9]))

# rules.mk adds: commands that print `ok NAME`, `FAIL NAME why`, `SKIP NAME why` (tests/run
# says the rest), quoted where they have arguments, as 'NAME: COMMAND' where the name is not
# plain from it; and the files to build before they run.  CHECKS run without root.
CHECKS	 :=
CHECK_BUILD :=
ROOT_TESTS :=
TEST_BUILD :=

ifeq ($(V),1)
Q	 :=
say	 = @:
else
Q	 := @
say	 = @printf '  %-7s %s\n' $(1) $(2)
endif
SUBMAKE	 = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(NPROC))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

-include $(wildcard tests/*/rules.mk)

.PHONY: all
all: $(PROGRAMS) $(MANUALS)			## the daemon and nsctl

$(B)/l2tpns: $(call objs,$(SHELL_SRC)) $(IO_A) $(PURE_A)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/nsctl: $(call objs,$(NSCTL_SRC)) $(PURE_A)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(PURE_A): $(call objs,$(PURE_SRC))
$(IO_A): $(call objs,$(IO_SRC))
$(PURE_A) $(IO_A):
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsDT $@ $^

# The manual pages' tables are written by a program that reads the daemon's own rows.
$(B)/manual: $(call objs,etc/man/manual.c tests/unit/assert_fail.c) $(PURE_A)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PURE_LIBS)

$(B)/man/%: etc/man/% $(B)/manual
	$(call say,MAN,$@)
	@mkdir -p $(@D)
	$(Q)$(B)/manual <$< >$@

# Compiler and flags are a file: when they change, everything is built again.
.PHONY: force
$(B)/flags: force
	@mkdir -p $(B)
	@tests/deps.sh --check $(DEPS_BUILD)
	@echo '$(subst ','\'',$(CC) $(filter-out -DVERSION%,$(CPPFLAGS)) $(CFLAGS))' | cmp -s - $@ || \
		echo '$(subst ','\'',$(CC) $(filter-out -DVERSION%,$(CPPFLAGS)) $(CFLAGS))' >$@

# The version goes into the few files that tell it, which follow it when it changes.
$(B)/version: force
	@mkdir -p $(B)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@
$(call objs,$(shell grep -lw VERSION $(PURE_SRC) $(IO_SRC) $(SHELL_SRC) $(NSCTL_SRC) 2>/dev/null)): $(B)/version

$(B)/obj/tests/%.o: private OPT := -O1
$(B)/obj/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# A unit test may ask for more than the rooms have: OBJS_test_x, LIBS_test_x in a rules.mk.
.SECONDEXPANSION:
$(addprefix $(B)/,$(UNIT)): $(B)/test_%: $(B)/obj/tests/unit/test_%.o $(B)/obj/tests/unit/assert_fail.o \
		$$(OBJS_test_$$*) $(IO_A) $(PURE_A)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka $(LIBS_test_$*)

# Fuzz targets are clang's, with their own instrumented copy of the pure rooms.
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_FLAGS = $(CSTD) -O1 $(WARNINGS) -fsanitize=fuzzer-no-link $(FUZZ_SAN)
$(B)/fuzz/obj/%.o: %.c $(B)/flags
	$(call say,CLANG,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(B)/fuzz/libpure.a: $(call fuzzobjs,$(PURE_SRC))
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsDT $@ $^

$(addprefix $(B)/fuzz/,$(FUZZ)): $(B)/fuzz/fuzz_%: $(B)/fuzz/obj/tests/fuzz/fuzz_%.o \
		$(B)/fuzz/obj/tests/unit/assert_fail.o $$(OBJS_fuzz_$$*) $(B)/fuzz/libpure.a
	$(call say,LINK,$@)
	$(Q)$(CLANG) -fsanitize=fuzzer $(FUZZ_SAN) -o $@ $^ $(PURE_LIBS)

UNIT_BUILD := $(addprefix $(B)/,$(UNIT))
FUZZ_BUILD := $(addprefix $(B)/fuzz/,$(FUZZ))
FUZZ_CHECKS := $(foreach f,$(FUZZ),'$(f): tests/fuzz/run.sh regress $(B) $(f)')
TIDY_CHECKS := $(foreach t,$(TIDY),'tidy-$(basename $(notdir $(t))): $(t) $(B)')
RUN	 = tests/run -o $(B)/results -j $(NPROC)

.PHONY: check-build test-build check test unit tidy fuzz bench demo asan gcc-clang cover analyze
check-build: all $(UNIT_BUILD) $(FUZZ_BUILD) $(CHECK_BUILD)
test-build: check-build $(TEST_BUILD)

check:						## tests that need no root: unit, fuzz regressions, replay, tidy
	@tests/deps.sh --check $(DEPS_TEST)
	@+$(SUBMAKE) check-build
	@$(RUN) $(UNIT_BUILD) $(FUZZ_CHECKS) $(CHECKS) $(TIDY_CHECKS)

test:						## everything (as root); installs what is missing
	@tests/deps.sh --install $(DEPS_TEST)
	@+$(SUBMAKE) test-build
	@$(RUN) $(UNIT_BUILD) $(FUZZ_CHECKS) $(CHECKS) $(TIDY_CHECKS) -- $(ROOT_TESTS)

unit:						## unit tests only
	@+$(SUBMAKE) $(UNIT_BUILD)
	@$(RUN) $(UNIT_BUILD)

tidy: $(PURE_A) $(MANUALS)			## layers, purity, sizes, the map, words, manual pages
	@$(RUN) $(TIDY_CHECKS)

fuzz:						## T=60: fuzz each target that long, two at a time
	@+$(SUBMAKE) $(FUZZ_BUILD)
	@T=$(T) $(RUN) -j 2 -t 0 $(foreach f,$(FUZZ),'$(f): tests/fuzz/run.sh fuzz $(B) $(f)')

bench:						## ratios against l2tpns 2.4.1 in the same run
	@tests/deps.sh --install $(DEPS_TEST)
	@+$(SUBMAKE) all $(TEST_BUILD)
	@tests/bench/run.sh $(B)

demo:						## three nodes and a thousand subscribers; nodes die, nobody is lost (root)
	@tests/deps.sh --install $(DEPS_DEMO)
	@+$(SUBMAKE) all $(B)/lac
	@tests/lac/demo.sh $(B)

asan:						## unit tests and replay under address and undefined sanitizers
	@+$(SUBMAKE) B=$(B)/asan OPT=-O1 SAN='-fsanitize=address,undefined -fno-sanitize-recover=all' asan-run
.PHONY: asan-run
asan-run: all $(UNIT_BUILD) $(CHECK_BUILD)
	@$(RUN) $(UNIT_BUILD) $(CHECKS)

gcc-clang:					## build everything with both compilers, warnings are errors
	@+$(SUBMAKE) B=$(B)/gcc CC=gcc WERROR=-Werror all gcc-clang-tests
	@+$(SUBMAKE) B=$(B)/clang CC=$(CLANG) WERROR=-Werror all gcc-clang-tests
.PHONY: gcc-clang-tests
gcc-clang-tests: $(UNIT_BUILD) $(CHECK_BUILD)

cover:						## lines covered by the unit tests and replay, by file
	@+$(SUBMAKE) B=$(B)/cover CC=gcc OPT=-O0 WERROR= SAN='--coverage' asan-run
	@find $(B)/cover/obj/l2tpns -name '*.gcda' | sort | xargs gcov -n 2>/dev/null | tests/cover.awk

ANALYSED := $(addprefix $(B)/analyse/,$(PURE_SRC) $(IO_SRC) $(SHELL_SRC) $(NSCTL_SRC))
analyze:					## clang's static analyser over the tree; what it says is to be judged
	@+$(SUBMAKE) -k $(ANALYSED)
$(ANALYSED): $(B)/analyse/%: % $(B)/flags
	$(call say,ANALYSE,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) $(CSTD) $(OPT) --analyze --analyzer-output text -o /dev/null $< && touch $@

.PHONY: format-check deps install uninstall clean help
format-check:					## clang-format's opinion of the C files not yet committed
	@git ls-files --modified --others --exclude-standard -- '*.c' '*.h' | sort -u | \
		xargs -r clang-format --dry-run --Werror

deps:						## install the Debian packages that are missing
	@tests/deps.sh --install $(DEPS_TEST)

install: all					## PREFIX=/usr/local DESTDIR=; configuration is never overwritten
	$(Q)install -d $(addprefix $(DESTDIR),$(SBINDIR) $(MANDIR)/man5 $(MANDIR)/man8 $(CONFDIR) $(UNITDIR) /etc/logrotate.d)
	$(Q)install -m 755 $(PROGRAMS) $(DESTDIR)$(SBINDIR)/
	$(Q)install -m 644 $(filter %.5,$(MANUALS)) $(DESTDIR)$(MANDIR)/man5/
	$(Q)install -m 644 $(filter %.8,$(MANUALS)) $(DESTDIR)$(MANDIR)/man8/
	$(Q)sed 's,/usr/sbin/,$(SBINDIR)/,g' etc/l2tpns.service >$(DESTDIR)$(UNITDIR)/l2tpns.service
	$(Q)for f in startup-config users ip_pool subscribers; do \
		[ ! -e etc/$$f ] || [ -e $(DESTDIR)$(CONFDIR)/$$f ] || \
			install -m 600 etc/$$f $(DESTDIR)$(CONFDIR)/$$f; done
	$(Q)[ -e $(DESTDIR)/etc/logrotate.d/l2tpns ] || \
		install -m 644 etc/l2tpns.logrotate $(DESTDIR)/etc/logrotate.d/l2tpns

uninstall:					## what install put there; configuration stays
	$(Q)rm -f $(addprefix $(DESTDIR),$(patsubst $(B)/%,$(SBINDIR)/%,$(PROGRAMS)) $(UNITDIR)/l2tpns.service \
		$(patsubst $(B)/man/%.5,$(MANDIR)/man5/%.5,$(filter %.5,$(MANUALS))) \
		$(patsubst $(B)/man/%.8,$(MANDIR)/man8/%.8,$(filter %.8,$(MANUALS))))

clean:						## remove everything made
	$(Q)rm -rf $(B)

help:
	@sed -n 's/^\([a-z-]*\):[^#]*##/\1 -/p' $(firstword $(MAKEFILE_LIST)) | sort

-include $(shell find $(B) -name '*.d' 2>/dev/null)

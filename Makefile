# SPDX-License-Identifier: GPL-2.0-or-later
#
#   make            build build/qemu-system-x86_64 and build/qemu-img
#   make boot       set up this machine, build, and boot a guest;
#                   ARGS='-smp 4' adds options of QEMU
#   make check      set up this machine, build, and run all tests
#   make install    install to DESTDIR and prefix (default /usr/local)
#
# 'make help' lists the rest.

# Make itself would take a part of such a path for something else.
ifneq ($(words $(CURDIR))$(findstring :,$(CURDIR)),1)
$(error the path of this tree '$(CURDIR)' has a space or a colon: use another)
endif

BUILD := build
OUT := $(BUILD)/out
PROGRAMS := qemu-system-x86_64 qemu-img qemu-bridge-helper
prefix ?= /usr/local
JOBS ?= $(shell nproc)
# make QEMU_SERIES=10.2 ... builds and tests with that one; else it is what
# ./configure was told, or its default.
QEMU_SERIES ?=
CONFIGURE := ./configure $(QEMU_SERIES:%=--qemu-series=%)
# Clones of this tree in other places share ccache's results.
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1

NINJA := ninja -C $(OUT) -j$(JOBS)

.PHONY: all boot build-now bench check check-unit check-build check-style \
	check-host check-long mutants coverage install dist deb \
	clean help setup build FORCE

all: build

# Nothing is configured twice: ./configure sees what has changed.
$(OUT)/build.ninja:
	$(CONFIGURE)

build: $(OUT)/build.ninja
	@scripts/in-turn $(BUILD)/.lock 'a build in $(CURDIR)/$(BUILD)' \
		$(MAKE) --no-print-directory build-now

build-now:
	@scripts/overlay $(BUILD)/qemu
	$(NINJA) $(PROGRAMS)
	@scripts/build-tools
	@scripts/firmware "$$(find $(OUT)/qemu-bundle -path '*/share/qemu')"

setup:
	@scripts/setup build check
	@[ -z '$(QEMU_SERIES)' ] && [ -e $(OUT)/build.ninja ] || $(CONFIGURE)

boot: setup
	@$(MAKE) --no-print-directory build
	@scripts/boot $(ARGS)

# --- tests ------------------------------------------------------------------

# A word to the tests' runner: --lenient, --filter WORD, --times.
CHECK ?=

check: setup
	@scripts/setup develop
	@$(MAKE) --no-print-directory build
	@tests/run $(CHECK)

# What exits cost, beside Debian sid's QEMU; into build/bench.
bench: setup
	@scripts/setup bench
	@$(MAKE) --no-print-directory build
	@tests/bench/run

check-unit check-build check-style check-host check-long: setup
	@$(MAKE) --no-print-directory build
	@tests/run $(CHECK) --suite $(@:check-%=%)

# Whether the tests notice what is broken on purpose (tests/mutants), for
# example: make mutants MUTANTS='--filter hw/emuhv'.
mutants: setup
	@$(MAKE) --no-print-directory build
	@tests/mutants/run $(MUTANTS)

# Which lines and branches of our code the tests run.
coverage: setup
	@$(MAKE) --no-print-directory build
	@tests/coverage/run

# --- release ----------------------------------------------------------------

install: build
	@scripts/install '$(OUT)' '$(DESTDIR)' '$(prefix)'

dist:
	@scripts/dist

# Debian packages, for the Debian of this machine, in dist/.
deb:
	@scripts/setup build packages
	@scripts/deb $(QEMU_SERIES:%=--qemu-series=%)

clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^#   //p' Makefile
	@echo 'make check-unit  the unit tests alone'
	@echo 'make check-build the tests of configure, the programs, install'
	@echo 'make check-host  the tests inside the emulated host'
	@echo 'make check-style the rules for the code'
	@echo 'make check-long  what repeats or takes long, which make check leaves out'
	@echo 'make mutants     break the product on purpose: do the tests notice?'
	@echo 'make coverage    which lines of our code the tests run'
	@echo 'make bench       measure exits, starts and growth, side by side'
	@echo 'make dist        a source archive in dist/'
	@echo 'make deb         Debian packages in dist/'
	@echo 'make clean       remove build/'

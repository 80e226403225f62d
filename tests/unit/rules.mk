# rules.mk -- what tests of single files need besides the pure rooms.

OBJS_fuzz_telnet := $(call fuzzobjs,l2tpns/io/telnet_filter.c)

# rules.mk -- what tests of single files need besides the pure rooms.

LIBS_test_out_json := -ljansson
LIBS_test_show := -ljansson
OBJS_test_telnet_filter := $(call objs,l2tpns/io/telnet_filter.c)
OBJS_test_log_out := $(call objs,$(addprefix l2tpns/io/,log_out.c log_entry.c privs.c))
LIBS_test_log_out := -lcap -lpthread
OBJS_test_ctl := $(call objs,$(addprefix l2tpns/io/,ctl_unix.c unix_listen.c log_out.c log_entry.c privs.c))
LIBS_test_ctl := -lev -lcap -lpthread
OBJS_fuzz_telnet := $(call fuzzobjs,l2tpns/io/telnet_filter.c)
OBJS_test_files := $(call objs,l2tpns/io/files.c)

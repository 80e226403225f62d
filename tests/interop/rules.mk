# Real clients in user-mode Linux dial in to the daemon.
ROOT_TESTS += 'interop: tests/interop/run.sh $(B)'

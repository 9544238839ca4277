"""That the benchmarks run; what they measure is in bench/RESULTS.md, and no test asserts a time."""

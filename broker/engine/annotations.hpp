// Clang's thread-safety attributes, under names that speak of shards; empty for other compilers.
#pragma once

#if defined(__clang__)
#define STAMPEDE_ATTRIBUTE(x) __attribute__((x))
#else
#define STAMPEDE_ATTRIBUTE(x)
#endif

#define CAPABILITY(name) STAMPEDE_ATTRIBUTE(capability(name))
#define GUARDED_BY(shard) STAMPEDE_ATTRIBUTE(guarded_by(shard))
#define ASSERT_CAPABILITY(x) STAMPEDE_ATTRIBUTE(assert_capability(x))

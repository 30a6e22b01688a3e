# Flags that every target of ours is built with.
add_library(sycee_options INTERFACE)
target_compile_options(sycee_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor
  -Woverloaded-virtual -Wcast-qual -Wextra-semi -Wimplicit-fallthrough -Wunused -Werror
  # Members have their defaults where they are declared; a braced list names what differs.
  -Wno-missing-designated-field-initializers
  -fstack-protector-strong -ftrivial-auto-var-init=zero)
target_compile_definitions(sycee_options INTERFACE _GLIBCXX_ASSERTIONS)
# Debian's default for release builds is -O2 -g -DNDEBUG; fortified functions need the optimizer.
target_compile_options(sycee_options INTERFACE $<$<AND:$<CONFIG:RelWithDebInfo>,$<NOT:$<BOOL:$<TARGET_PROPERTY:SYCEE_TEST>>>>:-U_FORTIFY_SOURCE$<SEMICOLON>-D_FORTIFY_SOURCE=3>)
target_link_options(sycee_options INTERFACE -fuse-ld=mold -Wl,-z,relro -Wl,-z,now)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# libFuzzer learns from this which ways the code takes (tests/fuzz).
if(SYCEE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Third-party objects and ours must agree on the sanitizers, so they are set for the directory.
if(SYCEE_SANITIZE)
  add_compile_options(-fsanitize=${SYCEE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SYCEE_SANITIZE})
  # This check opens a pipe to see whether it can read an object. Where the process may open no more
  # files, which one test is about, it takes every object for none.
  add_compile_options(-fno-sanitize=vptr)
endif()

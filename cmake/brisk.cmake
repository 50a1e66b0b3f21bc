# Helpers of the build.
#   brisk_library(name DEPS ... PACKAGES ...)   a static library of every .cpp below the current folder
#   brisk_registry(target folder prefix out)    a list of one function per file of a folder
#   brisk_test_program(name sources DEPS ...)   a GoogleTest program, each test known to ctest

add_library(brisk_options INTERFACE)
target_compile_options(brisk_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Werror -ffp-contract=off -fno-math-errno)
# libstdc++ 12 uses its own deprecated function in stable_sort, and Clang blames our file for it.
target_compile_options(brisk_options INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
target_include_directories(brisk_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(brisk_options INTERFACE
  BRISK_VERSION="${PROJECT_VERSION}" $<$<BOOL:${BRISK_DCHECKS}>:BRISK_DCHECKS=1>)
target_link_libraries(brisk_options INTERFACE Threads::Threads)
if(BRISK_SANITIZE)
  # -fno-sanitize-recover: the first finding ends the run, so a finding can never scroll by.
  target_compile_options(brisk_options INTERFACE
    -fsanitize=${BRISK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_definitions(brisk_options INTERFACE BRISK_SANITIZED=1)
  target_link_options(brisk_options INTERFACE -fsanitize=${BRISK_SANITIZE})
endif()
if(BRISK_FUZZ)
  # Coverage in every object, so that the fuzzer sees the parsers' branches.
  target_compile_options(brisk_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(brisk_library name)
  cmake_parse_arguments(ARG "" "" "DEPS;PACKAGES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/(test|bench)\\.cpp$")
  if(NOT sources)
    add_library(brisk_${name} INTERFACE)
    target_link_libraries(brisk_${name} INTERFACE brisk_options ${ARG_DEPS})
    return()
  endif()
  add_library(brisk_${name} STATIC ${sources})
  target_link_libraries(brisk_${name} PUBLIC brisk_options ${ARG_DEPS} PRIVATE ${ARG_PACKAGES})
endfunction()

# Every file FOLDER/foo.cpp must define the function PREFIX_foo(). The build writes OUT, a list of
# BRISK_ITEM(PREFIX_foo) lines that the folder's registry includes: forget the function and the link fails.
function(brisk_registry target folder prefix out)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
  list(SORT files)
  set(text "// Written by the build from the files of ${folder}/.\n")
  foreach(file IN LISTS files)
    get_filename_component(stem ${file} NAME_WE)
    if(NOT stem STREQUAL "registry")
      string(APPEND text "BRISK_ITEM(${prefix}_${stem})\n")
    endif()
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/${out} CONTENT "${text}" @ONLY)
  target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated)
endfunction()

function(brisk_test_program name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} brisk_options GTest::gtest GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${name} TEST_PREFIX "${name}/" DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT 600
               ENVIRONMENT "BRISK_SOURCE_DIR=${PROJECT_SOURCE_DIR};BRISK_BINARY=${CMAKE_BINARY_DIR}/brisk")
endfunction()

# The build refuses an #include against the layers (scripts/check_layers.py holds the table).
add_custom_target(check_layers
  COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/scripts/check_layers.py
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
  COMMENT "Checking the layers"
  VERBATIM)

# sycee_module(<folder> [DEPENDS <folder>...] [LINK <private library>...])
# One static library for each folder under src/: the target sycee_<folder>.
function(sycee_module name)
  cmake_parse_arguments(arg "" "" "DEPENDS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(sycee_${name} STATIC ${sources})
  target_include_directories(sycee_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include
                                           PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  set(depends ${arg_DEPENDS})
  list(TRANSFORM depends PREPEND sycee_)
  target_link_libraries(sycee_${name} PUBLIC ${depends} PRIVATE sycee_options ${arg_LINK})
  add_dependencies(sycee_${name} check_layers)
endfunction()

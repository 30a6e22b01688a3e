# sycee_embed(<target> <header> <namespace> <file>...)
# Compiles files into the program, so that nothing is read from the disk by a path at run time.
# The header declares  std::span<const <namespace>::EmbeddedFile> <namespace>::embedded_files();
function(sycee_embed target header namespace)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${target}_embedded.cpp)
  list(JOIN ARGN "," files)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DHEADER=${header} -DNAMESPACE=${namespace}
            -DFILES=${files} -P ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    COMMENT "Embedding files into ${target}"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()

# cmake -D INPUT=file -D OUTPUT=x.c -D NAME=symbol -D HEADER=its/header.h -P EmbedBytes.cmake
#
# Writes the file's bytes as the C array NAME, with their number in NAME_size.
file(READ ${INPUT} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
file(WRITE ${OUTPUT} "#include \"${HEADER}\"\n
const uint8_t ${NAME}[] = {\n${hex}\n};
const size_t ${NAME}_size = ${size};\n")

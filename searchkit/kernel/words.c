#include "kernel.h"

PyMethodDef words_methods[] = {{NULL}};

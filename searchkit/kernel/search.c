#include "kernel.h"

PyMethodDef search_methods[] = {{NULL}};

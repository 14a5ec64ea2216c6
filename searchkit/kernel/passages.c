#include "kernel.h"

PyMethodDef passages_methods[] = {{NULL}};

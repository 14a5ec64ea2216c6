/* What the files of the kernel share. */
#ifndef SEARCHKIT_KERNEL_H
#define SEARCHKIT_KERNEL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

extern PyMethodDef words_methods[];    /* words.c */
extern PyMethodDef rows_methods[];     /* rows.c */
extern PyMethodDef passages_methods[]; /* passages.c */
extern PyMethodDef search_methods[];   /* search.c */
int add_search(PyObject *module);      /* its type */

#endif

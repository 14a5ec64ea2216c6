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
extern PyMethodDef letters_methods[];  /* letters.c */
extern PyMethodDef records_methods[];  /* records.c */
extern PyMethodDef merge_methods[];    /* merge.c */
extern PyMethodDef search_methods[];   /* search.c */
extern PyMethodDef pieces_methods[];   /* pieces.c */
extern PyMethodDef dictionary_methods[]; /* dictionary.c */
extern PyMethodDef learn_methods[];    /* learn.c */
extern PyMethodDef strings_methods[];  /* strings.c */
int add_search(PyObject *module);      /* its type */

void fill_crc32_tables(void); /* strings.c; to be called before the next */
uint32_t crc32_of(const uint8_t *data, Py_ssize_t size);

/* Where the compiler can, for processors with wide registers, too: the one at hand is asked once. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define WIDE
#endif

/* BM25F but for the idf; the twin is `saturate` of query/rank.py. */
static inline float saturated(float f, float k1) {
    return f * (float)((double)k1 + 1.0) / (f + k1);
}

#endif

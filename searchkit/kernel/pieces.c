/* Sums of blocks of bytes under a secret key; the twin is `_sums_in_numpy` of pieces.py. */
#include "kernel.h"

enum { BLOCK = 4096, WORDS = BLOCK / 4 };

/* NH of one block, twice: each pair of words, plus the key's, multiplied; all of these added. */
WIDE static void sum_up(const uint8_t *block, const uint32_t *key, uint64_t *sums) {
    uint64_t first = 0, second = 0;
    for (int i = 0; i < WORDS; i += 2) {
        uint32_t a, b;
        memcpy(&a, block + 4 * i, 4);
        memcpy(&b, block + 4 * i + 4, 4);
        first += (uint64_t)(a + key[i]) * (b + key[i + 1]);
        second += (uint64_t)(a + key[WORDS + i]) * (b + key[WORDS + i + 1]);
    }
    sums[0] = first;
    sums[1] = second;
}

/* sums(data, key): of each block of data, the last filled up with zeros, two numbers of 64 bits. */
static PyObject *sums(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer data, key;
    if (!PyArg_ParseTuple(args, "y*y*", &data, &key)) return NULL;
    PyObject *found = NULL;
    uint32_t own[2 * WORDS]; /* aligned */
    Py_ssize_t blocks = (data.len + BLOCK - 1) / BLOCK;
    if (key.len != sizeof own)
        PyErr_SetString(PyExc_ValueError, "the key is not of 8192 bytes");
    else if ((found = PyBytes_FromStringAndSize(NULL, 16 * blocks))) {
        memcpy(own, key.buf, sizeof own);
        const uint8_t *at = data.buf;
        uint8_t *out = (uint8_t *)PyBytes_AS_STRING(found), last[BLOCK] = {0};
        uint64_t both[2];
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t left = data.len; left > 0; left -= BLOCK, at += BLOCK, out += sizeof both) {
            sum_up(left < BLOCK ? memcpy(last, at, (size_t)left) : at, own, both);
            memcpy(out, both, sizeof both);
        }
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&data);
    PyBuffer_Release(&key);
    return found;
}

PyMethodDef pieces_methods[] = {
    {"sums", sums, METH_VARARGS, "Sums of blocks of bytes; see pieces.py."},
    {NULL},
};

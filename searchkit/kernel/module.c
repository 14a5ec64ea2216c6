/* The module: the functions of all files of the kernel under one name. */
#include "lexicon.h"

static int add_functions(PyObject *module) {
    if (PyModule_AddFunctions(module, words_methods) < 0) return -1;
    if (PyModule_AddFunctions(module, rows_methods) < 0) return -1;
    if (PyModule_AddFunctions(module, passages_methods) < 0) return -1;
    if (PyModule_AddFunctions(module, letters_methods) < 0) return -1;
    if (PyModule_AddFunctions(module, records_methods) < 0) return -1;
    if (PyModule_AddFunctions(module, merge_methods) < 0) return -1;
    if (PyModule_AddFunctions(module, search_methods) < 0) return -1;
    if (PyModule_AddFunctions(module, pieces_methods) < 0) return -1;
    if (PyModule_AddFunctions(module, dictionary_methods) < 0) return -1;
    if (PyModule_AddFunctions(module, learn_methods) < 0) return -1;
    if (PyModule_AddFunctions(module, strings_methods) < 0) return -1;
    fill_crc32_tables();
    if (add_lexicon(module) < 0) return -1;
    return add_search(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, add_functions}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_kernel", .m_slots = slots,
};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&definition); }

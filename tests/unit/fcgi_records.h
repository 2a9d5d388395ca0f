/* Records that a web server sends. */
#ifndef TALLYD_TEST_FCGI_RECORDS_H
#define TALLYD_TEST_FCGI_RECORDS_H

#define BEGIN "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"
#define PARAMS "\1\4\0\1\0\4\3\0\1\1A1xyz"
#define NO_PARAMS "\1\4\0\1\0\0\0\0"
#define HEAD BEGIN PARAMS NO_PARAMS
#define STDIN(letter) "\1\5\0\1\0\2\0\0" letter letter
#define END "\1\5\0\1\0\0\0\0"
#define OF_ANOTHER_ID "\1\5\0\2\0\3\2\0abc.."
#define ABORT "\1\2\0\1\0\0\0\0"
#define ABORT_OF_ANOTHER_ID "\1\2\0\2\0\0\0\0"
#define GET_VALUES "\1\11\0\0\0\20\0\0\16\0FCGI_MAX_CONNS"
#define UNKNOWN_TYPE "\1\143\0\0\0\1\1\0xy"

#endif

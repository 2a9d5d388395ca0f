/* page_style: what the HTML page looks like. */
#ifndef TALLYD_STATUS_PAGE_STYLE_H
#define TALLYD_STATUS_PAGE_STYLE_H

/* The style sheet: light and dark, from a phone to a wide screen. */
extern const char page_style[];

#endif

/* doctor_nginx: does nginx fit the pool? */
#ifndef TALLYD_CTL_DOCTOR_NGINX_H
#define TALLYD_CTL_DOCTOR_NGINX_H

#include "config/config.h"
#include "ctl/findings.h"

/* Compare the locations of the file that lead to `listen` with the settings. */
void doctor_nginx(struct findings *r, const struct config *c, const char *path);

#endif

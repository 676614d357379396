/*
 * In the small guest: send a line to a port of the host through vsock, and
 * print the line that comes back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

int main(int argc, char **argv)
{
    struct sockaddr_vm host = {
        .svm_family = AF_VSOCK,
        .svm_cid = VMADDR_CID_HOST,
        .svm_port = argc == 3 ? atoi(argv[1]) : 0,
    };
    int fd = socket(AF_VSOCK, SOCK_STREAM, 0);
    char answer[256];
    ssize_t got;

    if (argc != 3) {
        fprintf(stderr, "Usage: vsock PORT LINE\n");
        return 2;
    }
    if (fd < 0 || connect(fd, (struct sockaddr *)&host, sizeof(host)) < 0 ||
        write(fd, argv[2], strlen(argv[2])) < 0 || write(fd, "\n", 1) < 0) {
        perror("vsock");
        return 1;
    }
    while ((got = read(fd, answer, sizeof(answer))) > 0) {
        fwrite(answer, 1, got, stdout);
    }
    return got < 0;
}

/*
 * The live view of mshv-stat.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <locale.h>
#include <ncurses.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "live.h"
#include "print.h"

#define MIN_INTERVAL 100
#define MAX_INTERVAL 60000

static struct {
    View view;
    pid_t pid;                  /* of the VM that is looked into, or 0 */
    char *name;                 /* of that one */
    SortBy sort;
    char filter[64];
    bool typing;                /* the filter */
    bool paused;
    unsigned interval;          /* ms */
    int selected;               /* row */
    int top;                    /* the first row that is shown */
    Sample *now, *before;
    gint64 next;                /* when the next sample is due, us */
} ui;

static void take_sample(void)
{
    sample_free(ui.before);
    ui.before = ui.now;
    ui.now = sample_take();
    ui.next = ui.now->time + ui.interval * G_GINT64_CONSTANT(1000);
}

static void draw_line(int y, int attributes, const char *text)
{
    move(y, 0);
    attrset(attributes);
    addstr(text);
    /* A line that is too long would go on in the next. */
    if (getcury(stdscr) == y) {
        clrtoeol();
    }
    attrset(A_NORMAL);
}

/* As many characters as there are columns. */
static void draw_text(int y, int attributes, const char *text)
{
    g_autofree char *part = g_utf8_strlen(text, -1) > COLS ?
        g_utf8_substring(text, 0, COLS) : g_strdup(text);

    draw_line(y, attributes, part);
}

static void draw_head(void)
{
    g_autofree char *gap = format_gap(ui.now, ui.view);
    g_autofree char *line = g_strdup_printf(
        "mshv-stat: %s%s%s   %u VMs   every %.1f s%s   sorted by %s%s%s",
        view_names[ui.view], ui.pid ? " of " : "", ui.pid ? ui.name : "",
        ui.now->scan->vms->len, ui.interval / 1000.0,
        ui.paused ? "   PAUSED" : "", sort_names[ui.sort],
        *ui.filter || ui.typing ? "   only: " : "", ui.filter);

    draw_text(0, A_BOLD, line);
    draw_text(1, A_NORMAL, gap ? gap : "");
}

static void draw_rows(const GPtrArray *rows)
{
    g_autofree char *head = format_row(ui.view, NULL, true);
    int i, room = LINES - 4;

    ui.selected = CLAMP(ui.selected, 0, MAX((int)rows->len - 1, 0));
    ui.top = CLAMP(ui.top, MAX(ui.selected - room + 1, 0), ui.selected);
    draw_text(2, A_REVERSE, head);
    for (i = 0; i < room; i++) {
        int row = ui.top + i;

        if (row < (int)rows->len) {
            g_autofree char *text = format_row(
                ui.view, g_ptr_array_index(rows, row), ui.before != NULL);

            draw_text(3 + i, row == ui.selected ? A_BOLD : A_NORMAL, text);
        } else {
            draw_text(3 + i, A_NORMAL, "");
        }
    }
}

static GPtrArray *current_rows(void)
{
    return sample_rows(ui.now, ui.before, ui.view, ui.pid, ui.sort,
                       ui.filter);
}

static void draw(void)
{
    g_autoptr(GPtrArray) rows = current_rows();

    erase();
    draw_head();
    draw_rows(rows);
    draw_text(LINES - 1, A_REVERSE, ui.typing ?
              "type what names must contain; Enter ends" :
              "q quit  1 VMs 2 exits 3 CPUs 4 calls 5 refusals 6 hypervisor  "
              "Enter into VM  b back  s sort  / filter  p pause  +- time");
    refresh();
}

static void type(int key)
{
    size_t length = strlen(ui.filter);

    if (key == '\n' || key == KEY_ENTER || key == 27) {
        ui.typing = false;
    } else if (key == KEY_BACKSPACE || key == 127 || key == '\b') {
        if (length) {
            *g_utf8_find_prev_char(ui.filter, ui.filter + length) = '\0';
        }
    } else if (key >= ' ' && key < 256 && length < sizeof(ui.filter) - 1) {
        ui.filter[length] = key;
        ui.filter[length + 1] = '\0';
    }
}

static void look_into(void)
{
    g_autoptr(GPtrArray) rows = current_rows();
    const Row *row;

    if (ui.view != VIEW_VMS || ui.selected >= (int)rows->len) {
        return;
    }
    row = g_ptr_array_index(rows, ui.selected);
    ui.pid = row->pid;
    g_free(ui.name);
    ui.name = g_strdup_printf("%s (%d)", row->name, row->pid);
    ui.view = VIEW_KINDS;
    ui.selected = 0;
}

static void go_back(void)
{
    ui.pid = 0;
    ui.view = VIEW_VMS;
    ui.selected = 0;
}

static void set_interval(unsigned interval)
{
    ui.interval = CLAMP(interval, MIN_INTERVAL, MAX_INTERVAL);
    ui.next = ui.now->time + ui.interval * G_GINT64_CONSTANT(1000);
}

static void on_key(int key)
{
    if (key >= '1' && key < '1' + VIEW__MAX) {
        if (key == '1') {
            go_back();
        }
        ui.view = key - '1';
        return;
    }
    switch (key) {
    case KEY_UP:
        ui.selected--;
        break;
    case KEY_DOWN:
        ui.selected++;
        break;
    case '\n':
    case KEY_ENTER:
        look_into();
        break;
    case 'b':
    case KEY_BACKSPACE:
    case 127:
        go_back();
        break;
    case 's':
        ui.sort = (ui.sort + 1) % SORT__MAX;
        break;
    case '/':
        ui.typing = true;
        ui.filter[0] = '\0';
        break;
    case 'p':
    case ' ':
        ui.paused = !ui.paused;
        break;
    case '+':
        set_interval(ui.interval * 2);
        break;
    case '-':
        set_interval(ui.interval / 2);
        break;
    default:
        break;
    }
}

static void loop(void)
{
    int key = ERR;

    while (ui.typing || key != 'q') {
        gint64 left = (ui.next - g_get_monotonic_time()) / 1000;

        if (left <= 0 && !ui.paused) {
            take_sample();
            continue;
        }
        draw();
        timeout(ui.paused ? -1 : (int)left + 1);
        key = getch();
        if (key != ERR && ui.typing) {
            type(key);
            key = ERR;
        } else if (key != ERR) {
            on_key(key);
        }
    }
}

bool live(View view, SortBy sort, const char *filter, unsigned interval)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        return false;
    }
    setlocale(LC_CTYPE, "");
    ui.view = view;
    ui.sort = sort;
    ui.interval = CLAMP(interval, MIN_INTERVAL, MAX_INTERVAL);
    g_strlcpy(ui.filter, filter ? filter : "", sizeof(ui.filter));
    take_sample();
    if (!newterm(NULL, stdout, stdin)) {
        return false;
    }
    cbreak();
    noecho();
    curs_set(0);
    keypad(stdscr, TRUE);
    loop();
    endwin();
    sample_free(ui.before);
    sample_free(ui.now);
    g_free(ui.name);
    return true;
}

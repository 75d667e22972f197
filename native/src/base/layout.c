/* Size and offsets of every public structure, as both sides of the boundary see them.
 *
 * A failure here is a change of the ABI: it needs a new COREIO_ABI, or the change is wrong. This file looks up
 * at the public headers of all rooms, and calls none of them.
 */
#include <coreio/cpu.h>
#include <coreio/log.h>
#include <coreio/loop.h>
#include <coreio/mq.h>
#include <coreio/proxy.h>

#include <stddef.h>

#define SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type " has another size")
#define FIELD(type, field, bytes)                                                                                      \
    _Static_assert(offsetof(struct type, field) == (bytes), #type "." #field " is elsewhere")

/* Pointers take 8 bytes wherever this library runs. */
_Static_assert(sizeof(void *) == 8, "a 64-bit machine");

SIZE(coreio_cpu_core, 32);
FIELD(coreio_cpu_core, cpu, 0);
FIELD(coreio_cpu_core, core, 4);
FIELD(coreio_cpu_core, package, 8);
FIELD(coreio_cpu_core, node, 12);
FIELD(coreio_cpu_core, allowed, 16);
FIELD(coreio_cpu_core, max_mhz, 20);
FIELD(coreio_cpu_core, l2_kib, 24);
FIELD(coreio_cpu_core, l3_kib, 28);

SIZE(coreio_cpu_place, 16);
FIELD(coreio_cpu_place, thread_id, 0);
FIELD(coreio_cpu_place, cpu, 4);
FIELD(coreio_cpu_place, node, 8);
FIELD(coreio_cpu_place, pinned, 12);

SIZE(coreio_log_kernel_info, 32);
FIELD(coreio_log_kernel_info, id, 0);
FIELD(coreio_log_kernel_info, supported, 4);
FIELD(coreio_log_kernel_info, name, 8);

SIZE(coreio_log_fault, 16);
FIELD(coreio_log_fault, reason, 0);
FIELD(coreio_log_fault, offset, 4);
FIELD(coreio_log_fault, length, 8);
FIELD(coreio_log_fault, reserved, 12);

SIZE(coreio_log_field_info, 16);
FIELD(coreio_log_field_info, name_offset, 0);
FIELD(coreio_log_field_info, name_length, 4);
FIELD(coreio_log_field_info, kind, 8);
FIELD(coreio_log_field_info, list, 12);

SIZE(coreio_log_field, 8);
FIELD(coreio_log_field, offset, 0);
FIELD(coreio_log_field, length, 4);

SIZE(coreio_log_record, 24);
FIELD(coreio_log_record, offset, 0);
FIELD(coreio_log_record, length, 4);
FIELD(coreio_log_record, first_field, 8);
FIELD(coreio_log_record, field_count, 12);
FIELD(coreio_log_record, reason, 16);
FIELD(coreio_log_record, reserved, 20);

SIZE(coreio_log_lex_result, 24);
FIELD(coreio_log_lex_result, consumed, 0);
FIELD(coreio_log_lex_result, records, 8);
FIELD(coreio_log_lex_result, fields, 12);
FIELD(coreio_log_lex_result, needed_fields, 16);
FIELD(coreio_log_lex_result, reserved, 20);

SIZE(coreio_log_query_options, 40);
FIELD(coreio_log_query_options, size, 0);
FIELD(coreio_log_query_options, where_length, 4);
FIELD(coreio_log_query_options, where, 8);
FIELD(coreio_log_query_options, since_us, 16);
FIELD(coreio_log_query_options, until_us, 24);
FIELD(coreio_log_query_options, interval_us, 32);

SIZE(coreio_log_table_options, 32);
FIELD(coreio_log_table_options, size, 0);
FIELD(coreio_log_table_options, by_length, 4);
FIELD(coreio_log_table_options, by, 8);
FIELD(coreio_log_table_options, stats, 16);
FIELD(coreio_log_table_options, stats_length, 24);
FIELD(coreio_log_table_options, max_groups, 28);

SIZE(coreio_log_column_info, 16);
FIELD(coreio_log_column_info, kind, 0);
FIELD(coreio_log_column_info, scale, 4);
FIELD(coreio_log_column_info, quantile_ppm, 8);
FIELD(coreio_log_column_info, reserved, 12);

SIZE(coreio_log_scan_options, 40);
FIELD(coreio_log_scan_options, size, 0);
FIELD(coreio_log_scan_options, flags, 4);
FIELD(coreio_log_scan_options, workers, 8);
FIELD(coreio_log_scan_options, cpu_count, 12);
FIELD(coreio_log_scan_options, cpus, 16);
FIELD(coreio_log_scan_options, kernel, 24);
FIELD(coreio_log_scan_options, block_bytes, 28);
FIELD(coreio_log_scan_options, rejects_fd, 32);
FIELD(coreio_log_scan_options, reserved, 36);

SIZE(coreio_log_progress, 24);
FIELD(coreio_log_progress, bytes_done, 0);
FIELD(coreio_log_progress, bytes_total, 8);
FIELD(coreio_log_progress, rejects_status, 16);
FIELD(coreio_log_progress, reserved, 20);

SIZE(coreio_log_totals, 48);
FIELD(coreio_log_totals, lines, 0);
FIELD(coreio_log_totals, parsed, 8);
FIELD(coreio_log_totals, rejected, 16);
FIELD(coreio_log_totals, filtered, 24);
FIELD(coreio_log_totals, bytes, 32);
FIELD(coreio_log_totals, workers, 40);
FIELD(coreio_log_totals, kernel, 44);

SIZE(coreio_log_worker_info, 32);
FIELD(coreio_log_worker_info, thread_id, 0);
FIELD(coreio_log_worker_info, cpu, 4);
FIELD(coreio_log_worker_info, lines, 8);
FIELD(coreio_log_worker_info, bytes, 16);
FIELD(coreio_log_worker_info, cpu_time_us, 24);

SIZE(coreio_log_table_summary, 32);
FIELD(coreio_log_table_summary, groups, 0);
FIELD(coreio_log_table_summary, other_lines, 8);
FIELD(coreio_log_table_summary, key_bytes, 16);
FIELD(coreio_log_table_summary, keys, 24);
FIELD(coreio_log_table_summary, stats, 28);

SIZE(coreio_log_group, 24);
FIELD(coreio_log_group, count, 0);
FIELD(coreio_log_group, key_offset, 8);
FIELD(coreio_log_group, key_length, 12);
FIELD(coreio_log_group, first_cell, 16);
FIELD(coreio_log_group, other, 20);

SIZE(coreio_log_cell, 24);
FIELD(coreio_log_cell, low, 0);
FIELD(coreio_log_cell, high, 8);
FIELD(coreio_log_cell, count, 16);

SIZE(coreio_log_reject, 40);
FIELD(coreio_log_reject, reason, 0);
FIELD(coreio_log_reject, sample_count, 4);
FIELD(coreio_log_reject, count, 8);
FIELD(coreio_log_reject, sample_offset, 16);
FIELD(coreio_log_reject, sample_length, 28);

SIZE(coreio_log_floor_result, 48);
FIELD(coreio_log_floor_result, bytes, 0);
FIELD(coreio_log_floor_result, lines, 8);
FIELD(coreio_log_floor_result, hits, 16);
FIELD(coreio_log_floor_result, elapsed_ns, 24);
FIELD(coreio_log_floor_result, cpu_ns, 32);
FIELD(coreio_log_floor_result, kernel, 40);
FIELD(coreio_log_floor_result, reserved, 44);

SIZE(coreio_loop_options, 8);
FIELD(coreio_loop_options, size, 0);
FIELD(coreio_loop_options, flags, 4);

SIZE(coreio_loop_event, 32);
FIELD(coreio_loop_event, id, 0);
FIELD(coreio_loop_event, data, 8);
FIELD(coreio_loop_event, events, 16);
FIELD(coreio_loop_event, kind, 20);
FIELD(coreio_loop_event, status, 24);
FIELD(coreio_loop_event, reserved, 28);

SIZE(coreio_loop_counters, 96);
FIELD(coreio_loop_counters, waits, 0);
FIELD(coreio_loop_counters, polls, 8);
FIELD(coreio_loop_counters, events, 16);
FIELD(coreio_loop_counters, wakes, 24);
FIELD(coreio_loop_counters, stale, 32);
FIELD(coreio_loop_counters, changes, 40);
FIELD(coreio_loop_counters, kernel_calls, 48);
FIELD(coreio_loop_counters, timers_fired, 56);
FIELD(coreio_loop_counters, again, 64);
FIELD(coreio_loop_counters, descriptors, 72);
FIELD(coreio_loop_counters, timers, 80);
FIELD(coreio_loop_counters, timers_behind, 88);

SIZE(coreio_mq_wait, 32);
FIELD(coreio_mq_wait, size, 0);
FIELD(coreio_mq_wait, flags, 4);
FIELD(coreio_mq_wait, timeout_ns, 8);
FIELD(coreio_mq_wait, spin_ns, 16);
FIELD(coreio_mq_wait, cancel_fd, 24);
FIELD(coreio_mq_wait, reserved, 28);

SIZE(coreio_mq_posix_attributes, 32);
FIELD(coreio_mq_posix_attributes, flags, 0);
FIELD(coreio_mq_posix_attributes, max_messages, 8);
FIELD(coreio_mq_posix_attributes, message_size, 16);
FIELD(coreio_mq_posix_attributes, messages, 24);

SIZE(coreio_mq_message, 24);
FIELD(coreio_mq_message, offset, 0);
FIELD(coreio_mq_message, length, 8);
FIELD(coreio_mq_message, type, 16);

SIZE(coreio_mq_sysv_status, 88);
FIELD(coreio_mq_sysv_status, id, 0);
FIELD(coreio_mq_sysv_status, key, 4);
FIELD(coreio_mq_sysv_status, uid, 8);
FIELD(coreio_mq_sysv_status, gid, 12);
FIELD(coreio_mq_sysv_status, creator_uid, 16);
FIELD(coreio_mq_sysv_status, creator_gid, 20);
FIELD(coreio_mq_sysv_status, mode, 24);
FIELD(coreio_mq_sysv_status, sequence, 28);
FIELD(coreio_mq_sysv_status, send_time, 32);
FIELD(coreio_mq_sysv_status, receive_time, 40);
FIELD(coreio_mq_sysv_status, change_time, 48);
FIELD(coreio_mq_sysv_status, bytes, 56);
FIELD(coreio_mq_sysv_status, messages, 64);
FIELD(coreio_mq_sysv_status, max_bytes, 72);
FIELD(coreio_mq_sysv_status, last_sender, 80);
FIELD(coreio_mq_sysv_status, last_receiver, 84);

SIZE(coreio_mq_sysv_change, 24);
FIELD(coreio_mq_sysv_change, uid, 0);
FIELD(coreio_mq_sysv_change, gid, 4);
FIELD(coreio_mq_sysv_change, mode, 8);
FIELD(coreio_mq_sysv_change, reserved, 12);
FIELD(coreio_mq_sysv_change, max_bytes, 16);

SIZE(coreio_mq_sysv_info, 32);
FIELD(coreio_mq_sysv_info, pool, 0);
FIELD(coreio_mq_sysv_info, map, 4);
FIELD(coreio_mq_sysv_info, max, 8);
FIELD(coreio_mq_sysv_info, mnb, 12);
FIELD(coreio_mq_sysv_info, mni, 16);
FIELD(coreio_mq_sysv_info, ssz, 20);
FIELD(coreio_mq_sysv_info, tql, 24);
FIELD(coreio_mq_sysv_info, seg, 28);

SIZE(coreio_mq_floor_result, 48);
FIELD(coreio_mq_floor_result, count, 0);
FIELD(coreio_mq_floor_result, elapsed_ns, 8);
FIELD(coreio_mq_floor_result, min_ns, 16);
FIELD(coreio_mq_floor_result, median_ns, 24);
FIELD(coreio_mq_floor_result, p99_ns, 32);
FIELD(coreio_mq_floor_result, max_ns, 40);

SIZE(coreio_proxy_address, 128);
FIELD(coreio_proxy_address, length, 0);
FIELD(coreio_proxy_address, reserved, 4);
FIELD(coreio_proxy_address, bytes, 8);

SIZE(coreio_proxy_options, 160);
FIELD(coreio_proxy_options, size, 0);
FIELD(coreio_proxy_options, flags, 4);
FIELD(coreio_proxy_options, workers, 8);
FIELD(coreio_proxy_options, accept, 12);
FIELD(coreio_proxy_options, balance, 16);
FIELD(coreio_proxy_options, splice, 20);
FIELD(coreio_proxy_options, cpus, 24);
FIELD(coreio_proxy_options, cpu_count, 32);
FIELD(coreio_proxy_options, connect_tries, 36);
FIELD(coreio_proxy_options, connect_timeout_ns, 40);
FIELD(coreio_proxy_options, idle_timeout_ns, 48);
FIELD(coreio_proxy_options, half_close_timeout_ns, 56);
FIELD(coreio_proxy_options, lifetime_ns, 64);
FIELD(coreio_proxy_options, header_timeout_ns, 72);
FIELD(coreio_proxy_options, max_connections, 80);
FIELD(coreio_proxy_options, max_per_source, 84);
FIELD(coreio_proxy_options, rate, 88);
FIELD(coreio_proxy_options, backlog, 92);
FIELD(coreio_proxy_options, bandwidth, 96);
FIELD(coreio_proxy_options, pipe_bytes, 104);
FIELD(coreio_proxy_options, pipes, 108);
FIELD(coreio_proxy_options, journal_capacity, 112);
FIELD(coreio_proxy_options, fall, 116);
FIELD(coreio_proxy_options, rise, 120);
FIELD(coreio_proxy_options, reserved, 124);
FIELD(coreio_proxy_options, check_interval_ns, 128);
FIELD(coreio_proxy_options, retry_ns, 136);
FIELD(coreio_proxy_options, congestion, 144);

SIZE(coreio_proxy_listener, 152);
FIELD(coreio_proxy_listener, size, 0);
FIELD(coreio_proxy_listener, flags, 4);
FIELD(coreio_proxy_listener, address, 8);
FIELD(coreio_proxy_listener, group, 136);
FIELD(coreio_proxy_listener, fd_count, 140);
FIELD(coreio_proxy_listener, fds, 144);

SIZE(coreio_proxy_upstream, 144);
FIELD(coreio_proxy_upstream, size, 0);
FIELD(coreio_proxy_upstream, flags, 4);
FIELD(coreio_proxy_upstream, address, 8);
FIELD(coreio_proxy_upstream, group, 136);
FIELD(coreio_proxy_upstream, weight, 140);

SIZE(coreio_proxy_counters, 248);
FIELD(coreio_proxy_counters, accepted, 0);
FIELD(coreio_proxy_counters, connected, 8);
FIELD(coreio_proxy_counters, ended, 16);
FIELD(coreio_proxy_counters, live, 24);
FIELD(coreio_proxy_counters, bytes_to_upstream, 32);
FIELD(coreio_proxy_counters, bytes_to_client, 40);
FIELD(coreio_proxy_counters, bytes_spliced, 48);
FIELD(coreio_proxy_counters, connect_retries, 56);
FIELD(coreio_proxy_counters, accept_failures, 64);
FIELD(coreio_proxy_counters, over_limit, 72);
FIELD(coreio_proxy_counters, handed_over, 80);
FIELD(coreio_proxy_counters, pipes, 88);
FIELD(coreio_proxy_counters, buffers, 96);
FIELD(coreio_proxy_counters, journal_lost, 104);
FIELD(coreio_proxy_counters, stale_events, 112);
FIELD(coreio_proxy_counters, ends, 120);

SIZE(coreio_proxy_worker, 40);
FIELD(coreio_proxy_worker, thread_id, 0);
FIELD(coreio_proxy_worker, cpu, 4);
FIELD(coreio_proxy_worker, live, 8);
FIELD(coreio_proxy_worker, accepted, 16);
FIELD(coreio_proxy_worker, waits, 24);
FIELD(coreio_proxy_worker, cpu_time_ns, 32);

SIZE(coreio_proxy_upstream_state, 64);
FIELD(coreio_proxy_upstream_state, index, 0);
FIELD(coreio_proxy_upstream_state, group, 4);
FIELD(coreio_proxy_upstream_state, up, 8);
FIELD(coreio_proxy_upstream_state, last_error, 12);
FIELD(coreio_proxy_upstream_state, live, 16);
FIELD(coreio_proxy_upstream_state, connects, 24);
FIELD(coreio_proxy_upstream_state, failures, 32);
FIELD(coreio_proxy_upstream_state, checks, 40);
FIELD(coreio_proxy_upstream_state, bytes_in, 48);
FIELD(coreio_proxy_upstream_state, bytes_out, 56);

SIZE(coreio_proxy_record, 104);
FIELD(coreio_proxy_record, begin_ns, 0);
FIELD(coreio_proxy_record, duration_ns, 8);
FIELD(coreio_proxy_record, connect_ns, 16);
FIELD(coreio_proxy_record, bytes_in, 24);
FIELD(coreio_proxy_record, bytes_out, 32);
FIELD(coreio_proxy_record, upstream, 40);
FIELD(coreio_proxy_record, listener, 44);
FIELD(coreio_proxy_record, worker, 48);
FIELD(coreio_proxy_record, end, 52);
FIELD(coreio_proxy_record, error, 56);
FIELD(coreio_proxy_record, retries, 60);
FIELD(coreio_proxy_record, source_family, 64);
FIELD(coreio_proxy_record, source_port, 66);
FIELD(coreio_proxy_record, target_family, 68);
FIELD(coreio_proxy_record, target_port, 70);
FIELD(coreio_proxy_record, source, 72);
FIELD(coreio_proxy_record, target, 88);

revoke select on stock_levels from purser_relay;
drop policy sweep on stock_levels;

drop index reservations_waiting;
alter table reservations drop constraint reservations_state_check;
alter table reservations add constraint reservations_state_check
  check (state in ('held', 'firm', 'consumed', 'released', 'expired'));

alter table order_lines drop constraint order_lines_counts;
alter table order_lines drop column quantity_backordered;
alter table order_lines add constraint order_lines_counts check (
  quantity_cancelled >= 0 and quantity_fulfilled >= 0 and quantity_cancelled + quantity_fulfilled <= quantity
);

drop index stock_levels_backordered;
alter table stock_levels drop column backordered;

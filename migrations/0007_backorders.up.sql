-- What an order could not get waits as a reservation of its own, in state `backordered`. It is counted on the level,
-- not in `reserved`; all of it changes under the lock on the level, so counts and rows never part.
alter table stock_levels add column backordered integer not null default 0 check (backordered >= 0);
create index stock_levels_backordered on stock_levels (organization_id, sku, location_id) where backordered > 0;

alter table order_lines add column quantity_backordered integer not null default 0;
alter table order_lines drop constraint order_lines_counts;
alter table order_lines add constraint order_lines_counts check (
  quantity_cancelled >= 0 and quantity_fulfilled >= 0 and quantity_backordered >= 0
  and quantity_cancelled + quantity_fulfilled + quantity_backordered <= quantity
);

alter table reservations drop constraint reservations_state_check;
alter table reservations add constraint reservations_state_check
  check (state in ('backordered', 'held', 'firm', 'consumed', 'released', 'expired'));
create index reservations_waiting on reservations (organization_id, sku, location_id, created_at, id)
  where state = 'backordered';

create policy sweep on stock_levels for select to purser_relay using (true);
grant select on stock_levels to purser_relay;

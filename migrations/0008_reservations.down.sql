revoke select on stock_movements from purser_relay;
drop policy sweep on stock_movements;
revoke select on reservations from purser_relay;
drop policy sweep on reservations;

drop index stock_movements_newest;
alter table stock_movements drop column reservation_id;

drop index reservations_due;
drop index reservations_sku;
alter table reservations drop column metadata;

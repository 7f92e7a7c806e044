-- `marked` is the condition of a level that was last told. No index knows it, so that reserving stays cheap.
alter table stock_levels add column low_stock_threshold integer check (low_stock_threshold >= 0);
alter table stock_levels add column marked text not null default 'ok'
  check (marked in ('ok', 'low', 'out', 'shortfall'));

alter table stock_levels drop column marked;
alter table stock_levels drop column low_stock_threshold;

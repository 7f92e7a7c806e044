alter table order_lines drop constraint order_lines_total_not_negative;
alter table orders
  drop constraint orders_total_not_negative,
  drop column taxes,
  drop column shipping,
  drop column discounts;
